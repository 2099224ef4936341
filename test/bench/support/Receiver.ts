import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Arrival {
  /** The `webhook-id`. */
  readonly id: string;
  /** ms since 1970 */
  readonly at: number;
}

/** The receiver's process, seen from the bench. */
export class Receiver {
  private constructor(
    private readonly child: ChildProcess,
    readonly origin: string,
  ) {}

  static async start(): Promise<Receiver> {
    const child = fork(fileURLToPath(new URL('receiverProcess.js', import.meta.url)));
    // Who still asks once it was stopped gets no answer.
    child.on('error', () => {});
    const { port } = await answer<{ port: number }>(child);
    return new Receiver(child, `http://127.0.0.1:${port}`);
  }

  /** Forgets what arrived. */
  async reset(): Promise<void> {
    this.child.send({ reset: true });
    await answer(this.child);
  }

  /** Resolves when so many have arrived since the last reset. */
  async waitFor(count: number): Promise<void> {
    this.child.send({ waitFor: count });
    await answer(this.child);
  }

  /** How many arrived since the last reset, the latencies (ms) of those that bore a time, and those at `/kept`, in order. */
  report(): Promise<{ count: number; latencies: number[]; arrivals: Arrival[] }> {
    this.child.send({ report: true });
    return answer(this.child);
  }

  stop(): void {
    this.child.disconnect();
  }
}

function answer<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve) => child.once('message', (message) => resolve(message as Message)));
}
