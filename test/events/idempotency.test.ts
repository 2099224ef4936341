import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { canonicalJson } from '../../src/events/insertEvents.js';
import { createTestDatabase, type TestDatabase } from '../support/createTestDatabase.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { parcelEvent, tryPublish } from '../support/webhookFlow.js';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const FIRST = key('first');
const SECOND = key('second');
const recipient = { phoneNumber: '+31612345678' };

let shared: TestDatabase;
beforeAll(async () => {
  shared = await createTestDatabase();
});
afterAll(() => shared.drop());

async function start(ENCRYPTION_KEYS: string): Promise<TestSwitchboard> {
  const server = await startSwitchboard({ ENCRYPTION_KEYS, ROLE: 'api' }, shared);
  onTestFinished(() => server.close());
  return server;
}

describe('The content under an idempotency key', () => {
  it('is stored so that the database is not enough to test guesses of a phone number', async () => {
    const { client, sql } = await start(FIRST);
    await tryPublish(client, { idempotencyKey: 'k', recipient });
    await tryPublish(client, { idempotencyKey: 'another', recipient });
    const rows = await sql('select content_hash from events where organization_id = ?', [client.keys.organizationId]);
    const hashes: string[] = rows.map(({ content_hash }) => content_hash);
    for (const hash of hashes) expect(hash).toMatch(/^h1\.first\.[\w-]{43}$/);
    // The hashes do not show that two events are about the same recipient.
    expect(new Set(hashes)).toHaveLength(2);
    const content = canonicalJson(['parcels.event.created', parcelEvent(), recipient]);
    for (const encoding of ['hex', 'base64url'] as const) {
      expect(hashes.join()).not.toContain(createHash('sha256').update(content).digest(encoding));
    }
  });

  it.each([
    ['the key was rotated', async () => start(`${SECOND},${FIRST}`)],
    [
      'it is from before there were fingerprints',
      async () => {
        const server = await start(`${SECOND},${FIRST}`);
        await server.sql('update events set content_hash = null');
        return server;
      },
    ],
    [
      'a process of before wrote it',
      async () => {
        const server = await start(`${SECOND},${FIRST}`);
        const content = canonicalJson(['parcels.event.created', parcelEvent(), recipient]);
        await server.sql('update events set content_hash = ?', [createHash('sha256').update(content).digest('hex')]);
        return server;
      },
    ],
  ])('is recognized when %s', async (_when, later) => {
    const before = await start(`${FIRST},${SECOND}`);
    const { keys } = before.client;
    const { event } = await tryPublish(before.client, { idempotencyKey: 'k', recipient });
    const server = await later();
    const client = new GraphQLClient(`${server.publicUrl}/graphql`, keys);
    const { event: data, parcel } = parcelEvent();
    expect(await tryPublish(client, { idempotencyKey: 'k', recipient, data: { event: data, parcel } })).toMatchObject({
      duplicate: true,
      event: { id: event.id },
      userErrors: [],
    });
    for (const other of [
      { recipient: { phoneNumber: '+31612345679' } },
      { recipient: null },
      { recipient, data: parcelEvent(2) },
    ]) {
      expect(await tryPublish(client, { idempotencyKey: 'k', ...other })).toMatchObject({
        event: null,
        userErrors: [{ code: 'CONFLICT', path: ['idempotencyKey'] }],
      });
    }
  });
});
