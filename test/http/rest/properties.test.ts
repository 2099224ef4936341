import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { RestClient } from './support/RestClient.js';

let switchboard: TestSwitchboard;
let rest: RestClient;
let statuses: Record<string, string[]>;
let id: number;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
  rest = new RestClient(switchboard.publicUrl, switchboard.client.authorization);
  const document = (await (await fetch(`${switchboard.publicUrl}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { responses: object }>>;
  };
  statuses = Object.fromEntries(
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { responses }]) => [`${method} ${path}`, Object.keys(responses)]),
    ),
  );
  id = (await rest.post('/connections', { type: 'webhook', configuration: { url: 'https://example.com/' } })).body.data.id;
});
afterAll(() => switchboard.close());

/** Values that are near to good ones, and values that are not. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\u0000', '\ud800', 'https://example.com/', '__proto__'),
);
const value: fc.Arbitrary<unknown> = fc.oneof(text, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.jsonValue());
const maybe = (good: fc.Arbitrary<unknown>) => fc.oneof({ weight: 4, arbitrary: good }, { weight: 1, arbitrary: value });
const configuration = fc.record(
  {
    url: maybe(fc.webUrl()),
    auth_type: maybe(fc.constantFrom('none', 'bearer', 'basic', 'api_key')),
    auth_config: maybe(
      fc.record(
        { token: maybe(text), username: maybe(text), password: maybe(text), header_name: maybe(text), api_key: maybe(text) },
        { requiredKeys: [] },
      ),
    ),
    extra_headers: maybe(fc.dictionary(text, maybe(text), { maxKeys: 3 })),
    ...{ more: value },
  },
  { requiredKeys: [] },
);
const connection = fc.record(
  { type: maybe(fc.constantFrom('webhook', 'klaviyo')), configuration: maybe(configuration) },
  { requiredKeys: [] },
);
const subscription = fc.record(
  {
    connection_id: maybe(fc.constantFrom(1, 2, 1e300, -0)),
    event_type: maybe(fc.constant('parcels.event.created')),
    is_active: maybe(fc.boolean()),
  },
  { requiredKeys: [] },
);

async function expectDocumented(method: string, path: string, pattern: string, body?: unknown, query = '') {
  const answer = await rest.send(method, `${path}${query}`, body);
  expect(statuses[`${method.toLowerCase()} /event-subscriptions${pattern}`], answer.status.toString()).toContain(
    String(answer.status),
  );
  expect(answer.status).toBeLessThan(500);
  if (answer.status < 400) return;
  expect(answer.body.errors.length).toBeGreaterThan(0);
  for (const { status, code, detail } of answer.body.errors) {
    expect(status).toBe(String(answer.status));
    expect(code).toMatch(/^[a-z_]+$/);
    expect(detail.length).toBeGreaterThan(0);
  }
}

describe('Whatever is sent, the answer is one that is documented', () => {
  it('to bodies', async () => {
    const property = fc.asyncProperty(connection, subscription, value, async (first, second, anything) => {
      await expectDocumented('POST', '/connections', '/connections', first);
      await expectDocumented('PATCH', `/connections/${id}`, '/connections/{id}', first);
      await expectDocumented('POST', '/subscriptions', '/subscriptions', second);
      await expectDocumented('POST', '/connections', '/connections', JSON.stringify(anything));
      await expectDocumented('PATCH', '/subscriptions/1', '/subscriptions/{id}', second);
    });
    await fc.assert(property, { numRuns: 100 });
  });

  it('to queries and paths', async () => {
    const property = fc.asyncProperty(text, text, async (name, given) => {
      const encode = (part: string) => encodeURIComponent(part.toWellFormed());
      await expectDocumented('GET', '/connections', '/connections', undefined, `?${encode(name)}=${encode(given)}`);
      await expectDocumented('GET', '/subscriptions', '/subscriptions', undefined, `?event_type=${encode(given)}&is_active=true`);
      const place = encode(given).slice(0, 150);
      if (place !== '' && !/^\.\.?$/.test(place)) await expectDocumented('GET', `/connections/${place}`, '/connections/{id}');
    });
    await fc.assert(property, { numRuns: 150 });
  });
});
