import type { Database } from '../database/Database.js';
import { NotificationListener } from '../database/NotificationListener.js';
import { type Caller, onlyConnection } from '../domain/Caller.js';
import { Connection } from '../domain/Connection.js';
import { Delivery } from '../domain/Delivery.js';
import { SwitchboardError } from '../domain/errors.js';
import type { Logger } from '../domain/Logger.js';
import type { OperatorAlarm } from '../domain/OperatorAlarm.js';
import { ChangesLost, Watch, type WatchOptions } from './Watch.js';
import { Watchers } from './Watchers.js';

const RENEW_MS = 10_000;
/** Number of rows read at once. */
const BATCH = 100;

/** One session may have a tenth of its organization's watches. */
const SESSIONS_SHARE = 10;

/** What a row of each kind is. */
interface Rows extends Record<ChangeKind, Row> {
  readonly connection: Connection;
  readonly delivery: Delivery;
  readonly connectionDeleted: Deleted;
  readonly subscriptionDeleted: Deleted;
}

type Row = Connection | Delivery | Deleted;

/** What is left of a row that was deleted. */
export interface Deleted {
  readonly id: number;
  /** The connection that it was, or belonged to. */
  readonly connectionId: number;
}

interface ChangeFeedOptions {
  readonly database: Database;
  readonly log: Logger;
  /** Raised while Postgres's notifications do not arrive. */
  readonly alarm?: OperatorAlarm;
  /** Maximum watches of one organization at once in this process. */
  readonly watchesPerOrganization: number;
}

interface Watching {
  readonly organizationId: number;
  readonly sessionId: string | null;
  readonly kind: ChangeKind;
  // biome-ignore lint/suspicious/noExplicitAny: a watch of rows of any kind
  readonly watch: Watch<any>;
  /** Whether the database knows of it: from then on, no change may pass it by. */
  isRegistered: boolean;
}

/**
 * Receives the changes of all processes from Postgres and passes them to the watches of this process. It costs nothing without
 * watches: it listens from the first watch on, and the database notifies only about watched organizations. A changed row is read
 * once for all watches, and only one read runs at a time, so that requests of callers have priority.
 */
export class ChangeFeed {
  readonly #watching = new Set<Watching>();
  /** Ids to read, by organization and kind. */
  readonly #waiting = new Map<string, Pick<Change, 'organizationId' | 'kind'> & { readonly ids: Set<string> }>();
  readonly #watchers: Watchers;
  readonly #listener: NotificationListener;
  readonly #renewal: NodeJS.Timeout;
  #listening: Promise<void> | undefined;
  #reading = false;

  constructor(private readonly options: ChangeFeedOptions) {
    const { database, log, alarm } = options;
    this.#watchers = new Watchers(database);
    this.#listener = new NotificationListener({
      ...{ database, alarm },
      channel: CHANGE_CHANNEL,
      onNotification: (payload) => this.#tell(readChange(payload)),
      // At the first connection there are no watches yet.
      onConnected: () => this.#lost('the database was away'),
      onDeaf: () => this.#lost('nothing is heard of changes'),
      onTrouble: (error) => log.warn({ error: error.message }, 'Lost the connection that hears of changes; reconnecting'),
    });
    this.#renewal = setInterval(() => void this.#renew(), RENEW_MS).unref();
  }

  /** Watches all further changes of a kind that the caller may see. Throws RATE_LIMITED. */
  async watch<Kind extends ChangeKind>(
    caller: Caller,
    kind: Kind,
    options: Omit<WatchOptions<Rows[Kind]>, 'onEnd'>,
  ): Promise<Watch<Rows[Kind]>> {
    const { organizationId } = caller;
    const sessionId = caller.session?.id ?? null;
    this.#listening ??= this.#listener.start();
    await this.#listening;
    // Without notifications the watch would never deliver anything, so it is refused.
    if (!this.#listener.hears) {
      throw new SwitchboardError('SERVICE_UNAVAILABLE', 'Changes are not heard of at the moment. Try again in a few seconds.', {
        retryAfterSeconds: 5,
      });
    }
    const most = this.options.watchesPerOrganization;
    const ofOrganization = [...this.#watching].filter((watching) => watching.organizationId === organizationId);
    if (ofOrganization.length >= most) {
      throw new SwitchboardError('RATE_LIMITED', `Your organization may watch ${most} things at once. End a subscription first.`);
    }
    const mostOfSession = Math.ceil(most / SESSIONS_SHARE);
    if (sessionId !== null && ofOrganization.filter((watching) => watching.sessionId === sessionId).length >= mostOfSession) {
      throw new SwitchboardError(
        'RATE_LIMITED',
        `A session may watch ${mostOfSession} things at once. End a subscription first.`,
      );
    }
    const only = onlyConnection(caller);
    const watch = new Watch<Rows[Kind]>({
      ...options,
      wants: (row) => (only === null || connectionOf(row) === only) && options.wants(row),
      onEnd: () => this.#watching.delete(watching),
    });
    const watching: Watching = { organizationId, sessionId, kind, watch, isRegistered: false };
    this.#watching.add(watching);
    try {
      await this.#register([organizationId]);
      watching.isRegistered = true;
      await this.#watchers.olderWritesEnd();
    } catch (error) {
      await watch.return();
      throw error;
    }
    return watch;
  }

  async close(): Promise<void> {
    clearInterval(this.#renewal);
    this.#lost('this server is stopping');
    await this.#listener.close();
    await this.#watchers.withdraw().catch(() => {});
  }

  #tell({ organizationId, kind, ids }: Change): void {
    const key = `${kind}:${organizationId}`;
    const waiting = this.#waiting.get(key) ?? { organizationId, kind, ids: new Set<string>() };
    for (const id of ids) waiting.ids.add(id);
    this.#waiting.set(key, waiting);
    if (!this.#reading) void this.#readWaiting();
  }

  async #readWaiting(): Promise<void> {
    this.#reading = true;
    for (const [key, { organizationId, kind, ids }] of this.#waiting) {
      this.#waiting.delete(key);
      const batch = [...ids].slice(0, BATCH);
      // The remaining ids wait behind the other entries.
      if (ids.size > BATCH) this.#waiting.set(key, { organizationId, kind, ids: new Set([...ids].slice(BATCH)) });
      const watches = [...this.#watching].filter((one) => one.organizationId === organizationId && one.kind === kind);
      if (watches.length === 0) continue;
      try {
        const rows = await this.#read(organizationId, kind, batch);
        for (const { watch } of watches) watch.push(rows);
      } catch (error) {
        this.options.log.warn({ error: String(error) }, 'Could not read what changed');
        for (const { watch } of watches) watch.fail(new ChangesLost('they could not be read'));
      }
    }
    this.#reading = false;
  }

  async #read(organizationId: number, kind: ChangeKind, ids: readonly string[]): Promise<Row[]> {
    const em = this.options.database.em();
    const orderBy = { id: 'asc' } as const;
    switch (kind) {
      case 'connection':
        return em.find(Connection, { id: { $in: ids.map(Number) }, organizationId }, { orderBy });
      case 'delivery':
        return em.find(Delivery, { id: { $in: [...ids] }, organizationId }, { orderBy });
      case 'connectionDeleted':
        return ids.map((id) => ({ id: Number(id), connectionId: Number(id) }));
      case 'subscriptionDeleted':
        return ids.map((both) => {
          const [connectionId = '', id = ''] = both.split(':');
          return { id: Number(id), connectionId: Number(connectionId) };
        });
    }
  }

  async #renew(): Promise<void> {
    try {
      await this.#register([...new Set([...this.#watching].map((one) => one.organizationId))]);
    } catch (error) {
      this.options.log.warn({ error: String(error) }, 'Could not say who watches');
    }
  }

  /** Registers who watches, and ends the watches registered before that the database had forgotten since. */
  async #register(organizations: readonly number[]): Promise<void> {
    const registered = [...this.#watching].filter((one) => one.isRegistered);
    const missed = await this.#watchers.announce(organizations);
    for (const { organizationId, watch } of registered) {
      if (missed.includes(organizationId)) watch.fail(new ChangesLost('the database was not reached in time'));
    }
  }

  /** Ends all watches, because changes may have been missed. */
  #lost(reason: string): void {
    for (const { watch } of this.#watching) watch.fail(new ChangesLost(reason));
  }
}

/** The connection that a row is, or belongs to. */
function connectionOf(row: Row): number {
  return row instanceof Connection ? row.id : row.connectionId;
}

type ChangeKind = 'connection' | 'delivery' | 'connectionDeleted' | 'subscriptionDeleted';

/**
 * What a notification says: which rows of an organization are new or different (what they are now, Postgres knows), or gone. The id of
 * a subscription that is gone stands behind that of its connection, with a colon between.
 */
interface Change {
  readonly organizationId: number;
  readonly kind: ChangeKind;
  readonly ids: readonly string[];
}

/** Parses the payload of a notification. Only our own triggers write it, so it is trusted. */
function readChange(payload: string): Change {
  return JSON.parse(payload) as Change;
}

/** The Postgres channel (LISTEN, NOTIFY) on which the triggers of migration 0005 announce changes. */
const CHANGE_CHANNEL = 'switchboard_changes';
