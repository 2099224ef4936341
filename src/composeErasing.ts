import { type DeletionDependencies, takeDeletionStep } from './access/deleteOrganization.js';
import type { EntityManager } from './database/Database.js';
import type { Chore, JobQueue, Jobs } from './database/Jobs.js';
import { newId } from './database/newId.js';
import { takeSteps } from './database/steps.js';
import { type ErasureDependencies, takeErasureStep } from './events/eraseRecipient.js';

const QUEUE = 'erase';

interface Erasing {
  /** Wakes a worker when the transaction commits. */
  readonly wakeErasing: (em: EntityManager) => Promise<void>;
  readonly queue: JobQueue<Record<never, never>>;
  /** Continues work whose worker has died. */
  readonly chore: Chore;
}

/**
 * Composes the background work that erases organizations and persons. Tables store what is left to erase; a job only wakes a
 * worker.
 */
export function composeErasing(
  jobs: Jobs,
  dependencies: DeletionDependencies & ErasureDependencies,
  closing: AsyncDisposableStack,
): Erasing {
  const stopping = new AbortController();
  let working: Promise<void> = Promise.resolve();
  closing.defer(async () => {
    stopping.abort();
    await working;
  });
  const work = (): Promise<void> => {
    const signal = stopping.signal;
    const steps = async () => {
      await takeSteps(() => takeDeletionStep(dependencies), signal);
      await takeSteps(() => takeErasureStep(dependencies), signal);
    };
    const done = steps();
    working = Promise.allSettled([working, done]).then(() => {});
    return done;
  };
  return {
    wakeErasing: (em) => jobs.add(em, QUEUE, newId(), {}),
    queue: { name: QUEUE, retryLimit: 3, retryDelaySeconds: 5, work },
    chore: { name: 'go-on-erasing', cron: '* * * * *', work },
  };
}
