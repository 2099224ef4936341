import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/createTestDatabase.js';
import { type Answer, Inbox } from './Inbox.js';
import { Testbed } from './Testbed.js';

export interface TestbedContext {
  bed: Testbed;
  url: string;
  /** Starts a receiver that ends with the test. */
  inbox(answer?: Answer): Promise<Inbox>;
}

/** Creates one database for the file, and for each test a testbed on it without data of earlier tests. */
export function testbedOfFile(): TestbedContext {
  let testDatabase: TestDatabase;
  const inboxes: Inbox[] = [];
  const context = {
    async inbox(answer) {
      const inbox = await Inbox.open(answer);
      inboxes.push(inbox);
      return inbox;
    },
  } as TestbedContext;

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    context.url = testDatabase.url;
  });
  beforeEach(async () => {
    context.bed = await Testbed.open(testDatabase.url);
  });
  afterEach(async () => {
    await context.bed.stopEngines();
    await Promise.all(inboxes.splice(0).map((inbox) => inbox.close()));
    await sql`truncate organizations, deliveries, attempts, delivery_queues, connection_health cascade`.execute(
      context.bed.database.sql(),
    );
    await context.bed.close();
  });
  afterAll(() => testDatabase.drop());
  return context;
}
