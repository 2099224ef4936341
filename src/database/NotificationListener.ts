import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type pg from 'pg';
import { Backoff } from '../domain/Backoff.js';
import type { OperatorAlarm } from '../domain/OperatorAlarm.js';
import type { Database } from './Database.js';

const BEAT_MS = 10_000;
const BEAT_HEARD_WITHIN_MS = 5_000;

export interface NotificationListenerOptions {
  readonly database: Database;
  readonly channel: string;
  readonly onNotification: (payload: string) => void;
  /** Called whenever the listener is connected, also the first time. Earlier notifications are lost. */
  readonly onConnected?: () => void;
  /** Called when the listener is connected but receives nothing. Notifications are lost. */
  readonly onDeaf?: () => void;
  readonly onTrouble: (error: Error) => void;
  /** Raised while the listener receives nothing. */
  readonly alarm?: OperatorAlarm;
}

/**
 * Listens to a Postgres channel (LISTEN) on a database connection of its own, and reconnects by itself.
 *
 * A connection can be open and receive nothing, for example behind a pooler that runs a session's statements on changing server
 * connections. So every ten seconds the listener sends itself a heartbeat, in the same way as writers notify, on a channel of its
 * own. When it does not receive the heartbeat, it raises an alarm and reconnects.
 */
export class NotificationListener {
  readonly #beatChannel = `switchboard_beat_${randomUUID().replaceAll('-', '')}`;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #beats: NodeJS.Timeout | undefined;
  #onBeat: (() => void) | undefined;
  readonly #backoff = new Backoff(100, 5_000);
  #closed = false;
  #hears = false;

  constructor(private readonly options: NotificationListenerOptions) {}

  /** True when the last heartbeat was received. */
  get hears(): boolean {
    return this.#hears;
  }

  /** Resolves when the listener receives notifications, or when the first try has failed. */
  async start(): Promise<void> {
    if (this.#closed) return;
    const { database, channel, onNotification, onConnected, onTrouble } = this.options;
    const client = database.session('switchboard-listener');
    this.#client = client;
    client.on('error', onTrouble);
    client.once('end', () => this.#reconnect(client));
    client.on('notification', (message) => {
      if (message.channel === this.#beatChannel) this.#onBeat?.();
      else onNotification(message.payload ?? '');
    });
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
      await client.query(`listen ${this.#beatChannel}`);
      onConnected?.();
      await this.#beat(client);
    } catch (error) {
      onTrouble(error as Error);
      client.end().catch(() => {});
      this.#reconnect(client);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#beats);
    this.#onBeat?.();
    await this.#client?.end().catch(() => {});
  }

  /** Sends a heartbeat and checks whether it is received. Repeats as long as this client is in use. */
  async #beat(client: pg.Client): Promise<void> {
    const { database, channel, onDeaf, onTrouble, alarm } = this.options;
    const heard = new Promise<true>((resolve) => {
      this.#onBeat = () => resolve(true);
    });
    const said = await sql`select pg_notify(${this.#beatChannel}, '')`.execute(database.sql()).then(
      () => true,
      // While the database is unavailable, no heartbeat can be sent.
      () => false,
    );
    const enough = new AbortController();
    const late = sleep(BEAT_HEARD_WITHIN_MS, false, { signal: enough.signal, ref: false }).catch(() => false);
    const hears = said ? await Promise.race([heard, late]) : this.#hears;
    enough.abort();
    if (this.#closed || this.#client !== client) return;
    const name = `deaf-${channel}`;
    if (said) this.#hears = hears;
    if (said && hears) {
      this.#backoff.reset();
      alarm?.clear(name);
    }
    if (said && !hears) {
      const advice = 'If a pooler such as PgBouncer stands before it, set DATABASE_DIRECT_URL to the address behind it.';
      alarm?.raise(name, `What Postgres notifies on ${channel} is not heard: updates come late or never. ${advice}`);
      onTrouble(new Error(`Nothing is heard on ${channel}`));
      onDeaf?.();
      this.#backoff.exhaust();
      client.end().catch(() => {});
      this.#reconnect(client);
      return;
    }
    this.#beats = setTimeout(() => void this.#beat(client), BEAT_MS).unref();
  }

  /** Reconnects once for each lost client, however many errors it reports. */
  #reconnect(gone: pg.Client): void {
    if (this.#closed || this.#client !== gone) return;
    this.#client = undefined;
    this.#hears = false;
    clearTimeout(this.#beats);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.start();
    }, this.#backoff.next());
  }
}
