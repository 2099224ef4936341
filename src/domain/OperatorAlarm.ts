import type { Logger } from './Logger.js';

/** What an operator must mend, such as a refused client secret. No merchant is to blame. */
export interface OperatorAlarm {
  raise(name: string, message: string): void;
  clear(name: string): void;
}

/** Keeps what is wrong for /health/ready, and logs it loudly: when it begins, and each time it is met again. */
export class OperatorAlarms implements OperatorAlarm {
  readonly #raised = new Map<string, { readonly message: string; readonly since: Date }>();

  constructor(private readonly log: Logger) {}

  raise(name: string, message: string): void {
    const since = this.#raised.get(name)?.since ?? new Date();
    this.#raised.set(name, { message, since });
    this.log.error({ alarm: name, since }, message);
  }

  clear(name: string): void {
    if (this.#raised.delete(name)) this.log.info({ alarm: name }, 'An alarm is over');
  }

  list(): readonly { readonly name: string; readonly message: string; readonly since: Date }[] {
    return [...this.#raised].map(([name, alarm]) => ({ name, ...alarm }));
  }
}
