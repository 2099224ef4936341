import { CompiledQuery } from 'kysely';
import { PgBoss } from 'pg-boss';
import { Backoff } from '../domain/Backoff.js';
import type { Logger } from '../domain/Logger.js';
import { connectionOptions, type Database, type EntityManager } from './Database.js';

export interface JobQueue<Data extends object> {
  readonly name: string;
  /** Number of tries after the first. */
  readonly retryLimit: number;
  /** Seconds before the first retry; doubled for each further one. */
  readonly retryDelaySeconds: number;
  /** Does a job. Throws to have it retried. */
  readonly work: (data: Data, job: { readonly id: string }) => Promise<void>;
}

/** Maximum database connections for the queues' own statements. */
const MOST_CONNECTIONS = 4;
/** Number of jobs of one queue that a process does concurrently. */
const AT_ONCE = 4;
const ENDED: ReadonlySet<string> = new Set(['completed', 'cancelled', 'failed']);

/** A periodic chore. One process at a time does it, whichever is first. */
export interface Chore {
  readonly name: string;
  /** Cron expression of five fields, in UTC. */
  readonly cron: string;
  /**
   * True when every process must also do it at its start. That is not a job, because a process that still runs with the previous
   * settings might take it. So two processes can do it at once, and the chore must tolerate that.
   */
  readonly atStart?: boolean;
  /** Does the chore. Long work ends early when the signal says that the process stops. */
  readonly work: (stopping: AbortSignal) => Promise<void>;
}

/**
 * Runs background jobs with pg-boss, in Postgres's schema `pgboss`. Deliveries have their own queue. `add` takes part in the
 * caller's transaction, so a job exists exactly if that transaction was committed.
 */
export class Jobs {
  readonly #boss: PgBoss;
  /** Applies while chores cannot be scheduled. */
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

  /** Defines a queue. Every process that adds to it or works on it must call this. */
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

  /** Schedules a chore. A failed one runs again at its next time. */
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
   * Schedules all chores. While Postgres is unavailable it keeps trying in the background, because a process that serves and
   * delivers must not end because of its chores.
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

  /** Adds a job in the given transaction. It runs after `afterSeconds` seconds at the earliest. */
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

  /** Returns the data of a queue's jobs that are neither done nor given up. */
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
