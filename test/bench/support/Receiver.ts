import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Arrival {
  /** The `webhook-id`. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The bench's side of the receiver's process. */
export class Receiver {
  private constructor(
    private readonly child: ChildProcess,
    readonly origin: string,
  ) {}

  static async start(): Promise<Receiver> {
    const child = fork(fileURLToPath(new URL('receiverProcess.js', import.meta.url)));
    // After the process was stopped, calls get no answer.
    child.on('error', () => {});
    const { port } = await answer<{ port: number }>(child);
    return new Receiver(child, `http://127.0.0.1:${port}`);
  }

  /** Deletes the recorded arrivals. */
  async reset(): Promise<void> {
    this.child.send({ reset: true });
    await answer(this.child);
  }

  /** Resolves when this many requests have arrived since the last reset. */
  async waitFor(count: number): Promise<void> {
    this.child.send({ waitFor: count });
    await answer(this.child);
  }

  /**
   * Returns how many requests arrived since the last reset, the latencies (ms) of those with a time, and those at `/kept` in
   * order.
   */
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
