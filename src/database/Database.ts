import { Migrator } from '@mikro-orm/migrations';
import type { EntityManager } from '@mikro-orm/postgresql';
import { MikroORM } from '@mikro-orm/postgresql';
import type { Kysely } from 'kysely';
import pg from 'pg';
import { migrations } from '../../migrations/index.js';
import { entities } from '../domain/entities.js';
import { connectionOptions } from './connectionOptions.js';
import type { Tables } from './Tables.js';

export type { EntityManager };

export interface DatabaseOptions {
  readonly url: string;
  /** Connections in this process's pool. */
  readonly poolSize?: number;
}

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
      // MikroORM reads host, user and database from the URL, and nothing else of it, and hands times over as text. The driver
      // by itself heeds the whole URL, TLS included, and knows times: so what SQL returns is what our types say.
      driverOptions: { ...connectionOptions(url, 'switchboard'), types: new pg.TypeOverrides() },
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
