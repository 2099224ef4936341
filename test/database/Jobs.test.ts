import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../src/database/Database.js';
import { Jobs } from '../../src/database/Jobs.js';
import { createTestDatabase, type TestDatabase } from '../support/createTestDatabase.js';
import { eventually } from '../support/eventually.js';
import { recordLog } from '../support/recordLog.js';

let testDatabase: TestDatabase;
let database: Database;
beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = await Database.open({ url: testDatabase.url });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});

const YEARLY = '0 0 1 1 *';

describe('A chore that is also done at the start', () => {
  it('does not delay the start, is aborted when the process stops, and is then waited for', async () => {
    const jobs = new Jobs(database, recordLog().log);
    await jobs.start();
    const steps: string[] = [];
    const work = async (stopping: AbortSignal) => {
      steps.push('begun');
      await once(stopping, 'abort');
      steps.push('ended');
    };
    await jobs.schedule({ name: 'long', cron: YEARLY, atStart: true, work });
    expect(steps).toEqual(['begun']);
    await jobs.close();
    expect(steps).toEqual(['begun', 'ended']);
  });

  it('may fail: the log says so, and it runs again on schedule', async () => {
    const { log, lines } = recordLog();
    const jobs = new Jobs(database, log);
    await jobs.start();
    const work = () => Promise.reject(new Error('No luck.'));
    await jobs.schedule({ name: 'unlucky', cron: YEARLY, atStart: true, work });
    await eventually(() =>
      expect(lines).toContainEqual({
        level: 'warn',
        chore: 'unlucky',
        error: 'Error: No luck.',
        message: 'A chore failed and comes again',
      }),
    );
    const schedules = await database.em().getConnection().execute("select cron from pgboss.schedule where name = 'unlucky'");
    expect(schedules).toEqual([{ cron: YEARLY }]);
    await jobs.close();
  });
});
