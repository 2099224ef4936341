import { CompiledQuery } from 'kysely';
import { PgBoss } from 'pg-boss';
import { Backoff } from '../domain/Backoff.js';
import type { Logger } from '../domain/Logger.js';
import { connectionOptions, type Database, type EntityManager } from './Database.js';

export interface JobQueue<Data extends object> {
  readonly name: string;
  /** Tries after the first. */
  readonly retryLimit: number;
  /** Seconds before the first retry; doubled for each further one. */
  readonly retryDelaySeconds: number;
  /** Throws to be tried again. */
  readonly work: (data: Data, job: { readonly id: string }) => Promise<void>;
}

/** To the database, for what the queues themselves need. */
const MOST_CONNECTIONS = 4;
/** Jobs of one queue that a process does side by side. */
const AT_ONCE = 4;
const ENDED: ReadonlySet<string> = new Set(['completed', 'cancelled', 'failed']);

/** A chore that one process does at a time, whichever is first. */
export interface Chore {
  readonly name: string;
  /** Five fields, UTC. */
  readonly cron: string;
  /**
   * Also to be done by every process when it starts. Not as a job: that might be taken by a process which still runs with
   * the settings of before. So two processes can be at it at once, and the chore has to bear that.
   */
  readonly atStart?: boolean;
  /** Long work ends early when the signal says that the process stops. */
  readonly work: (stopping: AbortSignal) => Promise<void>;
}

/**
 * Background chores on pg-boss, in Postgres' schema `pgboss`. Not for deliveries: their table is their queue.
 * `add` takes part in the caller's transaction, so a job exists exactly when what it is about was committed.
 */
export class Jobs {
  readonly #boss: PgBoss;
  /** While chores can't be scheduled. */
  readonly #backoff = new Backoff(500, 30_000);
  readonly #stopping = new AbortController();
  readonly #atStart: Promise<void>[] = [];

  constructor(
    private readonly database: Database,
    private readonly log: Logger,
  ) {
    this.#boss = new PgBoss({ ...connectionOptions(database.directUrl, 'switchboard-jobs'), max: MOST_CONNECTIONS });
    this.#boss.on('error', (error) => log.error({ error: error.message }, 'The job queue met an error'));
  }

  async start(): Promise<void> {
    await this.#boss.start();
  }

  /** Makes the queue known; needed in every process that adds to it or works on it. */
  async define<Data extends object>(queue: JobQueue<Data>): Promise<void> {
    const { name, retryLimit, retryDelaySeconds } = queue;
    const options = { retryLimit, retryDelay: retryDelaySeconds, retryBackoff: true };
    if (await this.#boss.getQueue(name)) await this.#boss.updateQueue(name, options);
    else await this.#boss.createQueue(name, options);
  }

  async work<Data extends object>(queue: JobQueue<Data>): Promise<void> {
    await this.#boss.work<Data>(queue.name, { pollingIntervalSeconds: 1, localConcurrency: AT_ONCE }, async (jobs) => {
      for (const job of jobs) {
        try {
          await queue.work(job.data, { id: job.id });
        } catch (error) {
          this.log.warn(
            { queue: queue.name, jobId: job.id, error: String(error) },
            'A background job failed and may be tried again',
          );
          throw error;
        }
      }
    });
  }

  /** Does a chore by the clock; a failed one comes again at its next time. */
  async schedule({ name, cron, work, atStart = false }: Chore): Promise<void> {
    const chore = () => work(this.#stopping.signal);
    const queue = { name, retryLimit: 0, retryDelaySeconds: 0, work: chore };
    await this.define(queue);
    await this.#boss.schedule(name, cron, null, { tz: 'UTC' });
    await this.work(queue);
    if (!atStart) return;
    const failed = (error: unknown) => this.log.warn({ chore: name, error: String(error) }, 'A chore failed and comes again');
    this.#atStart.push(chore().catch(failed));
  }

  /**
   * Schedules all of them; while Postgres is away, it goes on trying behind the caller's back, since a process that serves
   * and delivers must not end for its chores.
   */
  async scheduleAll(chores: readonly Chore[]): Promise<void> {
    const left = [...chores];
    try {
      for (let chore = left[0]; chore && !this.#stopping.signal.aborted; chore = left[0]) {
        await this.schedule(chore);
        left.shift();
      }
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.log.warn({ chore: left[0]?.name, error: String(error) }, 'Could not schedule a chore; trying again');
      setTimeout(() => void this.scheduleAll(left), this.#backoff.next()).unref();
    }
  }

  /** Adds a job in the given transaction; it is done after so many seconds at the earliest. */
  async add<Data extends object>(em: EntityManager, queue: string, id: string, data: Data, afterSeconds = 0): Promise<void> {
    const transaction = this.database.sql(em);
    await this.#boss.send(queue, data, {
      id,
      startAfter: afterSeconds,
      db: {
        executeSql: async (text: string, values: unknown[] = []) => {
          const { rows } = await transaction.executeQuery(CompiledQuery.raw(text, values));
          return { rows, rowCount: rows.length };
        },
      },
    });
  }

  /** The data of a queue's jobs that are neither done nor given up. */
  async unfinished<Data extends object>(queue: string): Promise<Data[]> {
    const jobs = await this.#boss.findJobs<Data>(queue);
    return jobs.filter(({ state }) => !ENDED.has(state)).map(({ data }) => data);
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#boss.stop({ graceful: true, timeout: 8_000 });
    await Promise.all(this.#atStart);
  }
}
