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
  /** Past a pooler that may stand at `url`; the same when not given. */
  readonly directUrl?: string | null;
  /** Connections in this process's pool. */
  readonly poolSize?: number;
  /** Is told the SQLSTATE of every error that Postgres answers, on whatever connection of ours. */
  readonly onErrorCode?: (code: string) => void;
}

const DEFAULT_POOL_SIZE = 10;

/** Our one door to Postgres: MikroORM for writes and reads of entities, its Kysely for the hot paths. */
export class Database {
  private constructor(
    readonly orm: MikroORM,
    readonly url: string,
    /** For whatever needs a session of its own, which a pooler would not give it: LISTEN, locks, prepared statements. */
    readonly directUrl: string,
    private readonly onErrorCode: (code: string) => void,
  ) {}

  static async open({
    url,
    directUrl,
    poolSize = DEFAULT_POOL_SIZE,
    onErrorCode = () => {},
  }: DatabaseOptions): Promise<Database> {
    const orm = await MikroORM.init({
      clientUrl: url,
      entities: [...entities],
      extensions: [Migrator],
      migrations: { migrationsList: [...migrations], tableName: 'migrations', snapshot: false, silent: true },
      pool: { min: 0, max: poolSize },
      // MikroORM reads host, user and database from the URL, and nothing else of it, and hands times over as text. The driver
      // by itself heeds the whole URL, TLS included, and knows times: so what SQL returns is what our types say.
      driverOptions: {
        ...connectionOptions(url, 'switchboard'),
        types: new pg.TypeOverrides(),
        onPoolCreated: (pool: pg.Pool) => void pool.on('connect', (client) => hearErrors(client, onErrorCode)),
      },
      forceUtcTimezone: true,
    });
    return new Database(orm, url, directUrl ?? url, onErrorCode);
  }

  /** A session of its own, past any pooler, not yet connected. Whoever asks ends it. */
  session(name: string): pg.Client {
    return new pg.Client(connectionOptions(this.directUrl, name));
  }

  /** To be called with each connection of another pool, so that what goes wrong there is heard of, too. */
  watch(client: pg.ClientBase): void {
    hearErrors(client, this.onErrorCode);
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

/** The driver tells of an error only who sent the statement; its protocol layer tells everybody. */
function hearErrors(client: pg.ClientBase, onErrorCode: (code: string) => void): void {
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter };
  connection.on('errorMessage', ({ code }: { code?: string }) => {
    if (code) onErrorCode(code);
  });
}
