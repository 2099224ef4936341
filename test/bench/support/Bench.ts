import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { Cipher } from '../../../src/database/Cipher.js';
import { Database } from '../../../src/database/Database.js';
import { startEmbeddedPostgres } from '../../../src/database/embedded/startEmbeddedPostgres.js';
import { migrate } from '../../../src/database/migrate.js';
import { newId } from '../../../src/database/newId.js';
import { createDeliveryEngine, type DeliveryEngine } from '../../../src/delivery/engine/DeliveryEngine.js';
import type { EngineOptions } from '../../../src/delivery/engine/EngineOptions.js';
import { createGuardedHttp } from '../../../src/delivery/http/guardedHttp.js';
import type { Lookup } from '../../../src/delivery/http/resolver.js';
import { insertDeliveries } from '../../../src/delivery/queue/insertDeliveries.js';
import { ensureSigningSecret } from '../../../src/delivery/signingSecrets.js';
import { WebhookDestination } from '../../../src/delivery/WebhookDestination.js';
import { Receiver } from './Receiver.js';

/** Milliseconds; the default of DELIVERY_TIMEOUT_MS. */
const TIMEOUT_MS = 15_000;

/** Connections of the worker's pool, as many as DATABASE_POOL_SIZE. */
const POOL_SIZE = 10;

const KEY = { id: 'bench', key: Buffer.alloc(32, 7) };

/** A separate database (embedded and durable, or DATABASE_URL's), an organization and a receiver. */
export class Bench {
  readonly #cipher = new Cipher([KEY]);

  private constructor(
    readonly database: Database,
    /** The worker's own pool, as in every process, so that publishers and the worker do not share connections. */
    private readonly workDatabase: Database,
    readonly receiver: Receiver,
    readonly organizationId: number,
    readonly close: () => Promise<void>,
  ) {}

  /** @param url of a Postgres that the caller starts and stops. */
  static async open(url = process.env.DATABASE_URL): Promise<Bench> {
    const dataDir = await mkdtemp(join(tmpdir(), 'switchboard-bench-'));
    const embedded = url
      ? null
      : await startEmbeddedPostgres({ dataDir, flags: (process.env.BENCH_PG_FLAGS ?? '').split(' ').filter(Boolean) });
    const database = await Database.open({ url: url ?? (embedded?.url as string) });
    await migrate(database);
    const receiver = await Receiver.start();
    const { rows } = await sql<{ id: string }>`insert into organizations (name) values ('Bench') returning id`.execute(
      database.sql(),
    );
    const workDatabase = await database.another(POOL_SIZE);
    return new Bench(database, workDatabase, receiver, Number(rows[0]?.id), async () => {
      receiver.stop();
      await workDatabase.close();
      await database.close();
      await embedded?.stop();
      await rm(dataDir, { recursive: true, force: true });
    });
  }

  /** Returns the environment of a server process on this bench's database. */
  environment(port: number, dataDir: string): Record<string, string> {
    return {
      PORT: String(port),
      HOST: '127.0.0.1',
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      DATABASE_URL: this.database.url,
      DATA_DIR: dataDir,
      ENCRYPTION_KEYS: `${KEY.id}:${KEY.key.toString('base64')}`,
      ALLOW_PRIVATE_NETWORKS: '127.0.0.0/8',
      LOG_LEVEL: 'error',
    };
  }

  /** Starts an engine with the default limits. */
  async engine(options: Partial<EngineOptions> = {}, lookup?: Lookup): Promise<DeliveryEngine> {
    const database = this.workDatabase;
    const cipher = this.#cipher;
    const http = createGuardedHttp({
      allowPrivateNetworks: ['127.0.0.0/8'],
      timeoutMs: TIMEOUT_MS,
      ...(lookup ? { lookup } : {}),
    });
    const webhook = new WebhookDestination({
      http,
      cipher,
      timeoutMs: TIMEOUT_MS,
      ensureSigningSecret: (connectionId) => ensureSigningSecret({ database, cipher }, connectionId),
    });
    const engine = createDeliveryEngine({
      database,
      destinations: new Map([['webhook', webhook]]),
      log: { debug() {}, info() {}, warn() {}, error: (fields, message) => console.error(message, fields) },
      options,
    });
    await engine.start();
    return engine;
  }

  /** Creates a connection to a path of the receiver, subscribed to an event type. Returns its id. */
  async subscribe(path: string, eventType: string): Promise<number> {
    const configuration = { url: `${this.receiver.origin}${path}`, authType: 'none', extraHeaders: [] };
    const { rows } = await sql<{ id: string }>`
      with connection as (
        insert into connections (organization_id, type, status, configuration)
        values (${this.organizationId}, 'webhook', 'active', ${JSON.stringify(configuration)}::jsonb) returning id
      )
      insert into subscriptions (organization_id, connection_id, event_type)
      select ${this.organizationId}, id, ${eventType} from connection returning connection_id as id`.execute(this.database.sql());
    return Number(rows[0]?.id);
  }

  /** Publishes in one transaction, as the use case does. */
  async publish(eventType: string, payloads: readonly string[]): Promise<void> {
    const events = payloads.map((payload) => ({ id: newId(), eventType, payload }));
    await this.database.transaction(async (em) => {
      await sql`
        insert into events (id, organization_id, event_type, payload)
        select id, ${this.organizationId}, ${eventType}, payload
        from unnest(${events.map(({ id }) => id)}::uuid[], ${payloads}::json[]) as e (id, payload)`.execute(em.getKysely());
      await insertDeliveries(em, { organizationId: this.organizationId, events });
    });
  }

  async publishMany(eventType: string, count: number, payload: string): Promise<void> {
    for (let left = count; left > 0; left -= 1_000) {
      await this.publish(eventType, Array<string>(Math.min(left, 1_000)).fill(payload));
    }
  }

  /** Makes the database do its background work now. */
  async tidy(): Promise<void> {
    await sql`vacuum analyze`.execute(this.database.sql());
    await sql`checkpoint`.execute(this.database.sql());
  }

  /** Resolves when no delivery waits for a connection, and all results are in the database. */
  async settled(connectionId: number): Promise<void> {
    while (true) {
      const { rows } = await sql`
        select from deliveries where connection_id = ${connectionId} and status in ('pending', 'retrying') limit 1`.execute(
        this.database.sql(),
      );
      if (rows.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
