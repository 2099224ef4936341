import { sql } from 'kysely';
import { Cipher } from '../../../src/database/Cipher.js';
import { Database, type EntityManager } from '../../../src/database/Database.js';
import { newId } from '../../../src/database/newId.js';
import type { Destination } from '../../../src/delivery/Destination.js';
import { createDeliveryEngine, type DeliveryEngine } from '../../../src/delivery/engine/DeliveryEngine.js';
import type { EngineOptions } from '../../../src/delivery/engine/EngineOptions.js';
import type { OnConnectionDisabled } from '../../../src/delivery/engine/Outcomes.js';
import { createGuardedHttp } from '../../../src/delivery/http/guardedHttp.js';
import { insertDeliveries } from '../../../src/delivery/queue/insertDeliveries.js';
import { ensureSigningSecret } from '../../../src/delivery/signingSecrets.js';
import { type WebhookConfiguration, WebhookDestination } from '../../../src/delivery/WebhookDestination.js';
import type { Caller } from '../../../src/domain/Caller.js';
import type { Logger } from '../../../src/domain/Logger.js';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

export interface ConnectionSetup {
  readonly type?: string;
  readonly status?: string;
  readonly configuration?: Partial<WebhookConfiguration>;
}

export interface EngineSetup {
  readonly timeoutMs?: number;
  readonly destinations?: readonly Destination[];
  readonly onConnectionDisabled?: OnConnectionDisabled;
  readonly options?: Partial<EngineOptions>;
  readonly log?: Logger;
}

/** A database with one organization and the delivery code, without the rest of the server. */
export class Testbed {
  readonly cipher = new Cipher([{ id: 'test', key: Buffer.alloc(32, 7) }]);
  /** Which connection types sign. */
  readonly destinations = new Map([['webhook', { signs: true }]]);
  readonly #closing: (() => Promise<void>)[] = [];

  private constructor(
    readonly database: Database,
    readonly organizationId: number,
  ) {}

  static async open(url: string): Promise<Testbed> {
    const database = await Database.open({ url });
    const { rows } = await sql<{ id: string }>`insert into organizations (name) values ('Acme') returning id`.execute(
      database.sql(),
    );
    return new Testbed(database, Number(rows[0]?.id));
  }

  async stopEngines(): Promise<void> {
    await Promise.all(this.#closing.splice(0).map((close) => close()));
  }

  async close(): Promise<void> {
    await this.stopEngines();
    await this.database.close();
  }

  /**
   * Creates an engine with a webhook destination that may reach this machine. It ends with the testbed. The timeout is the
   * server's default: the receivers run in this process, and with a short one they would be late on a busy machine and get
   * retries.
   */
  engine({ timeoutMs = 15_000, destinations, onConnectionDisabled, options, log = silent }: EngineSetup = {}): DeliveryEngine {
    const http = createGuardedHttp({ allowPrivateNetworks: ['127.0.0.0/8'], timeoutMs });
    const { database, cipher } = this;
    const webhook = new WebhookDestination({
      http,
      cipher,
      ensureSigningSecret: (connectionId) => ensureSigningSecret({ database, cipher }, connectionId),
      timeoutMs,
    });
    const all = destinations ?? [webhook];
    const engine = createDeliveryEngine({
      database,
      destinations: new Map(all.map((destination) => [destination.type, destination])),
      log,
      onConnectionDisabled,
      options: { pollMs: 100, sweepMs: 50, stopGraceMs: 1_000, ...options },
    });
    this.#closing.push(async () => {
      await engine.stop();
      await http.close(0);
    });
    return engine;
  }

  /** Returns the id of a new connection. */
  async connection(url: string, { type = 'webhook', status = 'active', configuration }: ConnectionSetup = {}): Promise<number> {
    const whole = { url, authType: 'none', extraHeaders: [], ...configuration };
    const { rows } = await sql<{ id: string }>`
      insert into connections (organization_id, type, status, configuration)
      values (${this.organizationId}, ${type}, ${status}, ${JSON.stringify(whole)}::jsonb) returning id`.execute(
      this.database.sql(),
    );
    return Number(rows[0]?.id);
  }

  /** Returns the id of a new subscription. */
  async subscription(connectionId: number, eventType = 'test.event', isActive = true): Promise<number> {
    const { rows } = await sql<{ id: string }>`
      insert into subscriptions (organization_id, connection_id, event_type, is_active)
      values (${this.organizationId}, ${connectionId}, ${eventType}, ${isActive}) returning id`.execute(this.database.sql());
    return Number(rows[0]?.id);
  }

  /** Creates a connection with one subscription. */
  async subscribed(url: string, setup?: ConnectionSetup & { readonly eventType?: string }) {
    const connectionId = await this.connection(url, setup);
    return { connectionId, subscriptionId: await this.subscription(connectionId, setup?.eventType) };
  }

  /** Publishes events with these payloads in one transaction; returns their ids. */
  publish(payloads: readonly unknown[], eventType?: string): Promise<string[]> {
    return this.database.transaction((em) => this.publishIn(em, payloads, eventType));
  }

  async publishIn(em: EntityManager, payloads: readonly unknown[], eventType = 'test.event'): Promise<string[]> {
    const events = payloads.map((payload) => ({ id: newId(), eventType, payload: JSON.stringify(payload) }));
    await sql`
      insert into events (id, organization_id, event_type, payload)
      select id, ${this.organizationId}, ${eventType}, payload
      from unnest(${events.map(({ id }) => id)}::uuid[], ${events.map(({ payload }) => payload)}::json[])
        as e (id, payload)`.execute(em.getKysely());
    await insertDeliveries(em, { organizationId: this.organizationId, events });
    return events.map(({ id }) => id);
  }

  get caller(): Caller {
    return {
      organizationId: this.organizationId,
      apiKeyId: 1,
      scopes: new Set(),
      credential: 'api_key' as const,
      address: '127.0.0.1',
      session: null,
    };
  }

  // biome-ignore lint/suspicious/noExplicitAny: the row's type depends on the query
  async rows<Row = any>(query: ReturnType<typeof sql>): Promise<Row[]> {
    return (await query.execute(this.database.sql())).rows as Row[];
  }

  deliveries(): Promise<DeliveryRow[]> {
    return this.rows(
      sql`select *, date_part('epoch', due_at) * 1000 as due_ms, date_part('epoch', updated_at) * 1000 as updated_ms
        from deliveries order by id`,
    );
  }

  attempts(): Promise<AttemptRow[]> {
    return this.rows(sql`select * from attempts order by id`);
  }

  /** Returns the number of deliveries in each status. */
  async counts(): Promise<Record<string, number>> {
    const rows = await this.rows<{ status: string; count: number }>(
      sql`select status, count(*)::int as count from deliveries group by status`,
    );
    return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
  }
}

export interface DeliveryRow {
  readonly id: string;
  readonly event_id: string;
  readonly connection_id: string;
  readonly subscription_id: string;
  readonly status: string;
  readonly attempt_count: number;
  readonly retry_count: number;
  readonly next_trigger: string;
  /** ms since 1970 */
  readonly due_ms: number;
  readonly leased_by: string | null;
  readonly leased_until: string | null;
  /** ms since 1970 */
  readonly updated_ms: number;
}

export interface AttemptRow {
  readonly delivery_id: string;
  readonly number: number;
  readonly trigger: string;
  readonly status_code: number | null;
  readonly response_body: string | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly duration_ms: number;
  readonly started_at: string;
}
