import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ConfigError } from '../../src/readEnvironment.js';
import { createTestDatabase, type TestDatabase } from '../support/createTestDatabase.js';
import { eventually } from '../support/eventually.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish } from '../support/webhookFlow.js';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const FIRST = key('first');
const SECOND = key('second');

let shared: TestDatabase;
beforeAll(async () => {
  shared = await createTestDatabase();
});
afterAll(() => shared.drop());

const start = (ENCRYPTION_KEYS: string, more: Record<string, string> = {}): Promise<TestSwitchboard> =>
  startSwitchboard({ ENCRYPTION_KEYS, ...more }, shared);

async function refused(keys: string, role = 'all'): Promise<string> {
  const failure = await start(keys, { ROLE: role }).then(
    async (server) => {
      await server.close();
      return new Error('It started.');
    },
    (error: Error) => error,
  );
  expect(failure).toBeInstanceOf(ConfigError);
  return failure.message;
}

async function publishSomething(server: TestSwitchboard): Promise<void> {
  await createWebhookConnection(server.client);
  await publish(server.client, { recipient: { email: 'anna@example.com' } });
}

describe('A start with ENCRYPTION_KEYS that are not those of the database ends in one line that names the key', () => {
  beforeAll(async () => {
    const server = await start(FIRST);
    await publishSomething(server);
    await server.close();
  });

  it('when the key is missing, in any role', async () => {
    for (const role of ['all', 'api', 'worker']) {
      expect(await refused(SECOND, role)).toBe(
        'ENCRYPTION_KEYS lacks the key "first", under which this database holds secrets. Add it back, behind the key that is to encrypt.',
      );
    }
  });

  it('when another key has its name', async () => {
    const wrong = key('first');
    for (const keys of [wrong, `${SECOND},${wrong}`]) {
      expect(await refused(keys)).toBe(
        'ENCRYPTION_KEYS has another key by the name "first" than the one that this database was encrypted with. Put the right one back.',
      );
    }
  });

  it('also when the database is older than canaries: then existing ciphertexts are tried', async () => {
    const server = await start(FIRST);
    onTestFinished(() => server.close());
    await server.sql('delete from encryption_canaries');
    expect(await refused(SECOND)).toContain('lacks the key "first"');
    expect(await refused(key('first'))).toContain('has another key by the name "first"');
    expect(await server.sql('select key_id from encryption_canaries')).toEqual([]);
  });

  it('but not when the right key is configured, at any position', async () => {
    for (const keys of [FIRST, `${FIRST},${SECOND}`]) await (await start(keys)).close();
  });

  it('and no longer once everything was re-encrypted under another key', async () => {
    const rotated = await start(`${SECOND},${FIRST}`);
    onTestFinished(() => rotated.close());
    await eventually(async () =>
      expect(await rotated.sql('select key_id from encryption_canaries')).toEqual([{ key_id: 'second' }]),
    );
    await (await start(SECOND)).close();
    expect(await refused(FIRST)).toContain('lacks the key "second"');
  });
});
