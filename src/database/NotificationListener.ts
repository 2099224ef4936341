import pg from 'pg';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

export interface NotificationListenerOptions {
  /** Of the database. */
  readonly url: string;
  readonly channel: string;
  readonly onNotification: (payload: string) => void;
  /** Whenever it hears again, the first time included: what was said before is lost. */
  readonly onConnected?: () => void;
  readonly onTrouble: (error: Error) => void;
}

/** Hears a Postgres channel (LISTEN) on a database connection of its own, and reconnects by itself. */
export class NotificationListener {
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = 0;
  #closed = false;

  constructor(private readonly options: NotificationListenerOptions) {}

  /** Resolves when it hears, or when the first try to failed. */
  async start(): Promise<void> {
    if (this.#closed) return;
    const { url, channel, onNotification, onConnected, onTrouble } = this.options;
    const client = new pg.Client({
      connectionString: url,
      application_name: 'switchboard-listener',
      keepAlive: true,
      // A peer that is gone without a word is found out in seconds, not in hours.
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: 10_000,
    });
    this.#client = client;
    client.on('error', onTrouble);
    client.once('end', () => this.#reconnect(client));
    client.on('notification', ({ payload }) => onNotification(payload ?? ''));
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
      this.#pauseMs = 0;
      onConnected?.();
    } catch (error) {
      onTrouble(error as Error);
      client.end().catch(() => {});
      this.#reconnect(client);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => {});
  }

  /** Once for a client that is gone, however often it says so. */
  #reconnect(gone: pg.Client): void {
    if (this.#closed || this.#client !== gone) return;
    this.#client = undefined;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2));
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.start();
    }, this.#pauseMs);
  }
}
