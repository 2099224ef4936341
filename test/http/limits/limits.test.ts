import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LiveClient } from '../../graphql/live/support/LiveClient.js';
import { GraphQLClient } from '../../support/GraphQLClient.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { RestClient } from '../rest/support/RestClient.js';

const LIMITS = { RATE_LIMIT_PER_MINUTE: '10', FAILED_LOGINS_PER_MINUTE: '5' };
const ASK = '{ organization { id } }';
const CHANGE = 'mutation { deleteConnection(input: { id: "1" }) { deletedId } }';

let first: TestSwitchboard;
let second: TestSwitchboard;
beforeAll(async () => {
  first = await startSwitchboard(LIMITS);
  second = await startSwitchboard(LIMITS, first.testDatabase);
});
afterAll(async () => {
  await second.close();
  await first.close();
});

describe("An organization's requests per minute", () => {
  it('are counted over all processes and transports, reads and writes separately', async () => {
    const keys = (await first.anotherOrganization()).keys;
    const here = new GraphQLClient(`${first.publicUrl}/graphql`, keys);
    const there = new GraphQLClient(`${second.publicUrl}/graphql`, keys);
    const rest = new RestClient(second.publicUrl, here.authorization);

    for (let index = 1; index <= 4; index += 1) {
      const { status, headers } = await here.send(ASK);
      expect(status).toBe(200);
      expect(headers.get('ratelimit-limit')).toBe('10');
      expect(headers.get('ratelimit-remaining')).toBe(String(10 - index));
      expect(Number(headers.get('ratelimit-reset'))).toBeGreaterThan(index === 1 ? 50 : 0);
    }
    for (let index = 0; index < 3; index += 1) expect(await there.send(ASK)).toMatchObject({ status: 200 });
    for (let index = 0; index < 3; index += 1) expect(await rest.get('/connections')).toMatchObject({ status: 200 });

    const refused = await here.send(ASK);
    expect(refused).toMatchObject({ status: 429, errors: [{ extensions: { code: 'RATE_LIMITED' } }] });
    expect(refused.errors?.[0].message).toContain('read 10 times a minute');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit-remaining')).toBe('0');
    const refusedByRest = await rest.get('/connections');
    expect(refusedByRest).toMatchObject({ status: 429, body: { errors: [{ status: '429' }] } });
    expect(Number(refusedByRest.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refusedByRest.headers.get('ratelimit-limit')).toBe('10');

    expect(await there.send(CHANGE)).toMatchObject({ status: 200 });
    expect(await rest.delete('/connections/1')).toMatchObject({ status: 404 });
    expect(await (await first.anotherOrganization()).send(ASK)).toMatchObject({ status: 200 });
  });

  it('include refused documents, issued tokens, and operations over a websocket', async () => {
    const client = await first.anotherOrganization();
    for (const document of ['{', '{ nothing }', ASK]) await client.send(document);
    expect((await client.send(ASK)).headers.get('ratelimit-remaining')).toBe('6');

    const live = LiveClient.of(client);
    for (const document of [ASK, '{ nothing }']) await live.watch(document).ended;
    expect((await client.send(ASK)).headers.get('ratelimit-remaining')).toBe('3');
    for (let index = 0; index < 3; index += 1) await live.watch(ASK).ended;
    const refused = live.watch(ASK);
    expect(await refused.ended).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }]);
    await live.close();

    const issue = () =>
      fetch(`${second.publicUrl}/oauth2/token`, {
        method: 'POST',
        headers: { authorization: client.authorization },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
    for (let index = 0; index < 10; index += 1) expect((await issue()).status).toBe(200);
    const tooMany = await issue();
    expect(tooMany.status).toBe(429);
    expect(Number(tooMany.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await tooMany.json()).toMatchObject({ error_description: expect.stringContaining('a token 10 times a minute') });
  });

  it('are limited exactly, also when they come at once', async () => {
    const keys = (await first.anotherOrganization()).keys;
    const clients = [first, second].map(({ publicUrl }) => new GraphQLClient(`${publicUrl}/graphql`, keys));
    const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => (clients[index % 2] as GraphQLClient).send(ASK)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(20);
  });

  it('are counted from zero after the minute', async () => {
    const client = await first.anotherOrganization();
    for (let index = 0; index < 11; index += 1) await client.send(ASK);
    expect(await client.send(ASK)).toMatchObject({ status: 429 });
    await first.sql("update rate_limits set resets_at = now() - interval '1 second'");
    expect(await client.send(ASK)).toMatchObject({ status: 200 });
  });
});

describe('Failed logins of an address per minute', () => {
  it('are counted over all processes; valid credentials still work', async () => {
    await first.sql('delete from rate_limits');
    const client = await first.anotherOrganization();
    const wrong = (origin: string, authorization: string) => new RestClient(origin, authorization).get('/connections');
    const basic = `Basic ${Buffer.from(`${client.keys.publicKey}:wrong`).toString('base64')}`;
    for (let index = 0; index < 3; index += 1) expect(await wrong(first.publicUrl, basic)).toMatchObject({ status: 401 });
    for (let index = 0; index < 2; index += 1) expect(await wrong(second.publicUrl, 'Bearer x')).toMatchObject({ status: 401 });
    for (const process of [first, second]) {
      const { status, headers } = await wrong(process.publicUrl, basic);
      expect(status).toBe(429);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(50);
      const token = await fetch(`${process.publicUrl}/oauth2/token`, {
        method: 'POST',
        headers: { authorization: basic },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
      expect(token.status).toBe(429);
      expect(token.headers.get('retry-after')).not.toBeNull();
      expect(await token.json()).toMatchObject({ error: 'invalid_client' });
    }
    expect(await client.send(ASK)).toMatchObject({ status: 200 });
  });

  it('take as long for a wrong public key as for a wrong secret', async () => {
    const time = async (authorization: string) => {
      const start = performance.now();
      await fetch(`${first.publicUrl}/api/v3/event-subscriptions/connections`, { headers: { authorization } });
      return performance.now() - start;
    };
    const medians: number[][] = [[], []];
    const { publicKey } = first.client.keys;
    for (let index = 0; index < 200; index += 1) {
      const names = [publicKey, `pk_${'x'.repeat(publicKey.length - 3)}`];
      for (const which of [0, 1] as const) medians[which]?.push(await time(`Basic ${btoa(`${names[which]}:wrong`)}`));
    }
    const [known = 0, unknown = 0] = medians.map((times) => times.sort((a, b) => a - b)[100] as number);
    expect(Math.abs(known - unknown)).toBeLessThan(Math.max(1.5, 0.5 * Math.max(known, unknown)));
  });
});
