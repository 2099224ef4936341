import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../database/Database.js';
import { NotificationListener } from '../database/NotificationListener.js';
import type { Caller } from '../domain/Caller.js';
import type { Logger } from '../domain/Logger.js';
import { type ChangeKind, readChange } from './Change.js';
import { ChangesLost } from './ChangesLost.js';
import { CHANGE_CHANNEL } from './changeChannel.js';
import { type LoadRows, Watch } from './Watch.js';

const RENEW_MS = 10_000;
const EXPIRY = '30 seconds';

interface Watcher {
  readonly organizationId: number;
  readonly kind: ChangeKind;
  // biome-ignore lint/suspicious/noExplicitAny: a watch of whatever rows it reads
  readonly watch: Watch<any>;
}

/**
 * Hears from Postgres what changed, in whatever process, and hands it to those in this one who watch. Costs nothing while
 * nobody does: it listens from the first watch on, and the database tells only of organizations that are watched.
 */
export class ChangeFeed {
  readonly #process = randomUUID();
  readonly #watchers = new Set<Watcher>();
  readonly #listener: NotificationListener;
  readonly #renewal: NodeJS.Timeout;
  #listening: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly log: Logger,
  ) {
    this.#listener = new NotificationListener({
      url: database.url,
      channel: CHANGE_CHANNEL,
      onNotification: (payload) => this.#tell(payload),
      onConnected: () => this.#connected(),
      onTrouble: (error) => log.warn({ error: error.message }, 'Lost the connection that hears of changes; reconnecting'),
    });
    this.#renewal = setInterval(() => this.#renew(), RENEW_MS).unref();
  }

  /** Everything of a kind that changes in the caller's organization from now on, as `load` reads it. */
  async watch<Row>(caller: Caller, kind: ChangeKind, load: LoadRows<Row>): Promise<Watch<Row>> {
    this.#listening ??= this.#listener.start();
    await this.#listening;
    const watch = new Watch(load, () => this.#watchers.delete(watcher));
    const watcher: Watcher = { organizationId: caller.organizationId, kind, watch };
    this.#watchers.add(watcher);
    try {
      await this.#announce([caller.organizationId]);
    } catch (error) {
      await watch.return();
      throw error;
    }
    return watch;
  }

  async close(): Promise<void> {
    clearInterval(this.#renewal);
    for (const { watch } of this.#watchers) watch.fail(new ChangesLost('this server is stopping'));
    await this.#listener.close();
    await sql`delete from live_watchers where process = ${this.#process}`.execute(this.database.sql()).catch(() => {});
  }

  #tell(payload: string): void {
    const { organizationId, kind, ids } = readChange(payload);
    for (const watcher of this.#watchers) {
      if (watcher.organizationId === organizationId && watcher.kind === kind) watcher.watch.tell(ids);
    }
  }

  #connected(): void {
    // The first time, nobody watches yet.
    for (const { watch } of this.#watchers) watch.fail(new ChangesLost('the database was away'));
  }

  #renew(): void {
    const organizations = [...new Set([...this.#watchers].map(({ organizationId }) => organizationId))];
    this.#announce(organizations).catch((error) => this.log.warn({ error: String(error) }, 'Could not say who watches'));
  }

  /** Says that this process wants to hear of the organizations; a process that died is forgotten by and by. */
  async #announce(organizations: readonly number[]): Promise<void> {
    if (organizations.length === 0) return;
    await sql`
      with gone as (
        delete from live_watchers where expires_at < now() - interval '1 minute' and process <> ${this.#process}
      )
      insert into live_watchers (organization_id, process, expires_at)
      select id, ${this.#process}, now() + ${sql.lit(EXPIRY)}::interval from unnest(${sql.val([...organizations])}::bigint[]) as watched (id)
      order by id
      on conflict (organization_id, process) do update set expires_at = excluded.expires_at`.execute(this.database.sql());
  }
}
