import pg from 'pg';
import { WAKE_CHANNEL } from './wakeChannel.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Hears, on a database connection of its own, when another process has published. Reconnects by itself; what was said
 * meanwhile is lost, so it wakes after each reconnect, and polling finds the rest.
 */
export class WakeListener {
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = 0;
  #closed = false;

  constructor(
    private readonly url: string,
    private readonly onWake: () => void,
    private readonly onTrouble: (error: Error) => void,
  ) {}

  async start(): Promise<void> {
    if (this.#closed) return;
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'switchboard-listener',
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
    });
    this.#client = client;
    client.on('error', (error) => this.onTrouble(error));
    client.once('end', () => this.#reconnect());
    client.on('notification', () => this.onWake());
    try {
      await client.connect();
      await client.query(`listen ${WAKE_CHANNEL}`);
      this.#pauseMs = 0;
      this.onWake();
    } catch (error) {
      this.onTrouble(error as Error);
      client.end().catch(() => {});
      this.#reconnect();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => {});
  }

  #reconnect(): void {
    if (this.#closed || this.#timer) return;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.start();
    }, this.#pauseMs);
  }
}
