import type { Logger } from './Logger.js';

/** A problem that an operator must repair, such as a refused client secret. It is no merchant's fault. */
export interface OperatorAlarm {
  raise(name: string, message: string): void;
  clear(name: string): void;
}

/** Keeps the current problems for /health/ready, and logs each one when it begins and each time it occurs again. */
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
