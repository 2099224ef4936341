import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { RestClient } from './support/RestClient.js';

interface Document {
  paths: Record<string, Record<string, { requestBody?: object; responses: Record<string, { content?: object }> }>>;
}

let switchboard: TestSwitchboard;
let rest: RestClient;
let document: Document;
let ajv: Ajv2020;
let id: number;
let subscribed: number;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
  rest = new RestClient(switchboard.publicUrl, switchboard.client.authorization);
  document = (await (await fetch(`${switchboard.publicUrl}/openapi.json`)).json()) as Document;
  // All keywords are validated, also those that only readers and generators use.
  ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
  id = (await rest.post('/connections', { type: 'webhook', configuration: { url: 'https://example.com/' } })).body.data.id;
  subscribed = (await rest.post('/subscriptions', { connection_id: id, event_type: 'parcels.event.created' })).body.data.id;
});
afterAll(() => switchboard.close());

/** Values close to valid ones, and invalid values. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\u0000', '\ud800', 'https://example.com/', '__proto__'),
);
const value: fc.Arbitrary<unknown> = fc.oneof(text, fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.jsonValue());
const maybe = (good: fc.Arbitrary<unknown>) => fc.oneof({ weight: 4, arbitrary: good }, { weight: 1, arbitrary: value });
const configuration = fc.record(
  {
    url: maybe(fc.oneof(fc.webUrl(), fc.constantFrom('https://bücher.example/käse', 'HTTPS://EXAMPLE.COM'))),
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

/** Compiled validators, since compiling takes many times as long as validating. */
const validators = new Map<string, ValidateFunction>();

/** Returns the problems of a value, by a schema in the document. */
function problemsOf(value: unknown, ...place: string[]): unknown {
  const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const $ref = `openapi#/${pointer}/content/application~1json/schema`;
  const validate = validators.get($ref) ?? ajv.compile({ $ref });
  validators.set($ref, validate);
  return validate(value) ? null : { value, errors: validate.errors };
}

/** Expects a documented status and response. A body that was accepted must be valid by the document. */
async function expectDocumented(method: string, path: string, pattern: string, body?: unknown, query = '') {
  const answer = await rest.send(method, `${path}${query}`, body);
  const place = ['paths', `/event-subscriptions${pattern}`, method.toLowerCase()] as const;
  const operation = document.paths[place[1]]?.[place[2]];
  const status = String(answer.status);
  expect(Object.keys(operation?.responses ?? {})).toContain(status);
  expect(answer.status).toBeLessThan(500);
  if (operation?.responses[status]?.content) expect(problemsOf(answer.body, ...place, 'responses', status)).toBeNull();
  if (answer.status < 300 && operation?.requestBody) {
    const sent = typeof body === 'string' ? JSON.parse(body) : JSON.parse(JSON.stringify(body) ?? 'null');
    expect(problemsOf(sent, ...place, 'requestBody')).toBeNull();
  }
  if (answer.status < 400) return;
  for (const error of answer.body.errors) expect(error.status).toBe(status);
}

describe('Every response is documented', () => {
  it('for arbitrary bodies', async () => {
    const property = fc.asyncProperty(connection, subscription, value, async (first, second, anything) => {
      await expectDocumented('POST', '/connections', '/connections', first);
      await expectDocumented('PATCH', `/connections/${id}`, '/connections/{id}', first);
      await expectDocumented('POST', '/subscriptions', '/subscriptions', second);
      await expectDocumented('POST', '/connections', '/connections', JSON.stringify(anything));
      await expectDocumented('PATCH', `/subscriptions/${subscribed}`, '/subscriptions/{id}', second);
      await expectDocumented('PATCH', `/connections/${id}`, '/connections/{id}', JSON.stringify(anything));
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it('for arbitrary queries and paths', async () => {
    const property = fc.asyncProperty(text, text, async (name, given) => {
      const encode = (part: string) => encodeURIComponent(part.toWellFormed());
      await expectDocumented('GET', '/connections', '/connections', undefined, `?${encode(name)}=${encode(given)}`);
      await expectDocumented('GET', '/subscriptions', '/subscriptions', undefined, `?event_type=${encode(given)}&is_active=true`);
      const place = encode(given).slice(0, 150);
      if (place !== '' && !/^\.\.?$/.test(place)) await expectDocumented('GET', `/connections/${place}`, '/connections/{id}');
    });
    await fc.assert(property, { numRuns: 100 });
  });
});
