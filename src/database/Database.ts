import { Migrator } from '@mikro-orm/migrations';
import type { EntityManager } from '@mikro-orm/postgresql';
import { MikroORM } from '@mikro-orm/postgresql';
import { CompiledQuery, type DatabaseConnection, type Kysely } from 'kysely';
import type pg from 'pg';
import { migrations } from '../../migrations/index.js';
import { entities } from '../domain/entities.js';
import type { Tables } from './Tables.js';

export type { EntityManager };

export interface DatabaseOptions {
  readonly url: string;
  /** Connections in this process's pool. */
  readonly poolSize?: number;
}

/** A transaction that its process forgot holds locks: Postgres ends it after so many milliseconds. */
const IDLE_IN_TRANSACTION_MS = 60_000;

/** Milliseconds that a statement may take: for longer, nobody waits for its answer. */
const STATEMENT_TIMEOUT_MS = 30_000;

/** Our one door to Postgres: MikroORM for writes and reads of entities, its Kysely for the hot paths. */
export class Database {
  private constructor(
    readonly orm: MikroORM,
    readonly url: string,
  ) {}

  static async open({ url, poolSize = 20 }: DatabaseOptions): Promise<Database> {
    const orm = await MikroORM.init({
      clientUrl: url,
      entities: [...entities],
      extensions: [Migrator],
      migrations: { migrationsList: [...migrations], tableName: 'migrations', snapshot: false, silent: true },
      pool: { min: 0, max: poolSize },
      driverOptions: {
        keepAlive: true,
        connectionTimeoutMillis: 10_000,
        onPoolCreated: (pool: pg.Pool) => pool.on('acquire', returnWhenBroken),
      },
      onCreateConnection: async (connection) => {
        await (connection as DatabaseConnection).executeQuery(
          CompiledQuery.raw(`select set_config('statement_timeout', '${STATEMENT_TIMEOUT_MS}', false),
          set_config('idle_in_transaction_session_timeout', '${IDLE_IN_TRANSACTION_MS}', false)`),
        );
      },
      forceUtcTimezone: true,
    });
    return new Database(orm, url);
  }

  /** A fresh unit of work: its identity map is never shared between two calls. */
  em(): EntityManager {
    return this.orm.em.fork() as EntityManager;
  }

  /** Typed SQL past the entities; given a unit of work, inside its transaction. */
  sql(em: EntityManager = this.em()): Kysely<Tables> {
    return em.getKysely<Tables>();
  }

  /** Runs `work` in one transaction; commits when it returns, rolls back when it throws. */
  transaction<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    return this.em().transactional((em) => work(em as EntityManager));
  }

  close(): Promise<void> {
    return this.orm.close(true);
  }
}

/**
 * Kysely gives a connection back to the pool only when its `begin` and its `rollback` have worked, so that each transaction
 * that a restart of Postgres meets would cost the pool a connection for ever. One that is gone goes back by itself.
 */
function returnWhenBroken(client: pg.PoolClient): void {
  // The pool sets `release` right after it has told of the acquisition.
  queueMicrotask(() => {
    const release = client.release.bind(client);
    const returnBroken = (): void => client.release(true);
    client.once('end', returnBroken);
    client.release = (error) => {
      client.removeListener('end', returnBroken);
      client.release = () => {};
      release(error);
    };
  });
}
