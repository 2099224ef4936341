import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decideAuthorization } from '../support/decideAuthorization.js';
import { GraphQLClient } from '../support/GraphQLClient.js';
import { createKlaviyoConnection, seeConnection, startKlaviyoAuthorization } from '../support/klaviyoFlow.js';
import { openCallback, withParameters } from '../support/openCallback.js';
import { type ServerPair, startServerPair } from '../support/startServerPair.js';

let pair: ServerPair;
let klaviyo: ServerPair['klaviyo'];
let one: ServerPair['one'];
let two: ServerPair['two'];
beforeAll(async () => {
  pair = await startServerPair();
  ({ klaviyo, one, two } = pair);
});
afterAll(() => pair.close());

const place = () => ({ client: one.client, sandbox: klaviyo });
const at = (server: ServerPair['one'], callback: URL): URL => new URL(`${callback.pathname}${callback.search}`, server.ownUrl);
/** Sends half of the callbacks to each server. */
const fiftyCallbacks = (callbacks: URL[]) =>
  Promise.all(
    Array.from({ length: 50 }, (_, index) => openCallback(at(index % 2 ? one : two, callbacks[index % callbacks.length] as URL))),
  );

describe('Fifty callbacks at the same moment, over two servers', () => {
  it.each([1, 2, 3])('with one state: one exchange, fifty equal pages (round %i)', async () => {
    const { callback, connectionId, account } = await decideAuthorization(place());
    klaviyo.klaviyo.resetCounters();
    const answers = await fiftyCallbacks([callback]);
    expect(new Set(answers.map(({ status, markup }) => `${status} ${markup}`))).toHaveLength(1);
    expect(answers[0]).toMatchObject({ status: 200, text: expect.stringContaining(`${account.name} is connected`) });
    expect(klaviyo.klaviyo.counters).toMatchObject({ tokenRequests: 1, exchanges: 1, codeReplays: 0, accountRequests: 1 });
    expect(await seeConnection(two.client, connectionId)).toBeNull();
    expect(await seeConnection(one.client, connectionId)).toMatchObject({ status: 'ACTIVE' });
  });

  it('whose exchange fails: one request, fifty equal pages', async () => {
    const { callback } = await decideAuthorization(place());
    klaviyo.klaviyo.resetCounters();
    klaviyo.klaviyo.inject({ kind: 'server_error', target: 'token', count: 1 });
    const answers = await fiftyCallbacks([callback]);
    expect(new Set(answers.map(({ status, markup }) => `${status} ${markup}`))).toHaveLength(1);
    expect(answers[0]?.status).toBe(502);
    expect(klaviyo.klaviyo.counters).toMatchObject({ tokenRequests: 1 });
  });

  it('some with a code and some with an error: the first one decides the outcome of all', async () => {
    const { callback } = await decideAuthorization(place());
    klaviyo.klaviyo.resetCounters();
    const denial = withParameters(callback, { code: undefined, error: 'access_denied' });
    const answers = await fiftyCallbacks([callback, callback, denial, denial]);
    expect(new Set(answers.map(({ markup }) => markup))).toHaveLength(1);
    expect(klaviyo.klaviyo.counters.tokenRequests).toBeLessThanOrEqual(1);
  });
});

describe('Two authorizations of one connection', () => {
  it('started at once at two servers leave one pending', async () => {
    const id = await createKlaviyoConnection(one.client);
    const clientAtTwo = new GraphQLClient(`${two.ownUrl}/graphql`, one.client.keys);
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => startKlaviyoAuthorization(index % 2 ? one.client : clientAtTwo, id)),
    );
    const rows = await one.sql('select status, count(*)::int from authorizations where connection_id = ? group by 1', [id]);
    expect(Object.fromEntries(rows.map(({ status, count }) => [status, count]))).toEqual({ pending: 1, superseded: 9 });
    expect(await seeConnection(one.client, id)).toMatchObject({ authorization: { status: 'PENDING' } });
  });

  it('with a callback during the second start: the first one completes, or is superseded', async () => {
    for (let round = 0; round < 8; round += 1) {
      const { callback, connectionId } = await decideAuthorization(place());
      const [page] = await Promise.all([openCallback(at(two, callback)), startKlaviyoAuthorization(one.client, connectionId)]);
      expect([200, 410]).toContain(page.status);
      const rows = await one.sql('select status from authorizations where connection_id = ? order by created_at', [connectionId]);
      expect(rows).toEqual([{ status: page.status === 200 ? 'completed' : 'superseded' }, { status: 'pending' }]);
      const { status } = await seeConnection(one.client, connectionId);
      expect(status).toBe(page.status === 200 ? 'ACTIVE' : 'PENDING_AUTHORIZATION');
    }
  });
});

describe('All operations at once on the same connections', () => {
  const calls = [
    'mutation ($id: ID!) { startAuthorization(input: { connectionId: $id }) { userErrors { code } } }',
    'mutation ($id: ID!) { revokeAuthorization(input: { connectionId: $id }) { userErrors { code } } }',
    'mutation ($id: ID!) { updateConnection(input: { id: $id, name: "x" }) { userErrors { code } } }',
    'mutation ($id: ID!) { deleteConnection(input: { id: $id }) { userErrors { code } } }',
    'query ($id: ID!) { connection(id: $id) { status authorization { status } } }',
  ];

  it('end without a deadlock: every call is answered, every callback shows a page', async () => {
    const attempts = await Promise.all(Array.from({ length: 12 }, () => decideAuthorization(place())));
    const clientAtTwo = new GraphQLClient(`${two.ownUrl}/graphql`, one.client.keys);
    const work = attempts.flatMap(({ callback, connectionId: id }, index) => [
      ...calls.map((call, turn) => async () => {
        await sleep(((index * 7 + turn * 5) % 11) * 4);
        const { status, errors } = await (turn % 2 ? one.client : clientAtTwo).send(call, { id });
        return { status, errors };
      }),
      ...[one, two].map((server) => async () => {
        const { status } = await openCallback(at(server, callback));
        return { status: [200, 410].includes(status) ? 200 : status, errors: undefined };
      }),
    ]);
    const answers = await Promise.all(work.map((one) => one()));
    expect(answers.filter(({ status, errors }) => status !== 200 || errors)).toEqual([]);
    expect(await one.sql("select 1 from authorizations where error_code = 'internal_error'")).toEqual([]);
    expect(await one.sql("select 1 from authorizations where status = 'pending' and consumed_at is not null")).toEqual([]);
  });
});
