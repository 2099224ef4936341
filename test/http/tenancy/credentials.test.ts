import { buildClientSchema, getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addApiKey } from '../../../src/access/apiKeys.js';
import { API_KEY_SCOPES, type ApiKeyScope } from '../../../src/domain/ApiKey.js';
import { fieldScopes } from '../../../src/graphql/fieldScopes.js';
import { LiveClient } from '../../graphql/live/support/LiveClient.js';
import { createKlaviyoConnection } from '../../support/klaviyoFlow.js';
import { Platform } from '../../support/Platform.js';
import { makeSession } from '../../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { leastOperations } from './support/leastOperations.js';

/**
 * The root fields that a session with each permission may use. They are listed here independently, so that both lists must
 * agree.
 */
const VIEW = [
  ...['Query.session', 'Query.organization', 'Query.connection', 'Query.connections', 'Query.subscription'],
  ...['Query.subscriptions', 'Query.delivery', 'Query.deliveries', 'Query.replay', 'Query.eventTypes', 'Query.klaviyoScopes'],
  ...['Query.caller', 'Query.deliveryStatistics', 'Query.replays'],
  ...['Live.connectionDeleted', 'Live.connectionUpdated', 'Live.deliveryUpdated', 'Live.subscriptionDeleted'],
];
const MANAGE = [
  ...VIEW,
  ...['createConnection', 'updateConnection', 'deleteConnection', 'revokeAuthorization', 'checkConnection'].map(
    (name) => `Mutation.${name}`,
  ),
  ...['createSubscription', 'updateSubscription', 'deleteSubscription', 'broadcastTestEvent', 'retryDelivery'].map(
    (name) => `Mutation.${name}`,
  ),
  ...['Mutation.replayDeliveries', 'Mutation.stopReplay'],
];
const CONNECT = [
  'Query.caller',
  'Query.session',
  'Query.connection',
  'Mutation.startAuthorization',
  'Live.connectionDeleted',
  'Live.connectionUpdated',
];

interface Credential {
  readonly authorization: string | undefined;
  /** The header Switchboard-Organization. */
  readonly organization?: string;
  /** The code with which every call is refused. Null: it depends on the field. */
  readonly refused: 'UNAUTHENTICATED' | 'SESSION_EXPIRED' | 'SESSION_ENDED' | null;
  readonly may: (field: string) => boolean;
  /** Whether it may call a REST method. */
  readonly mayRest: (method: string) => boolean;
  /** The response to all other REST methods: status, code, REST's code. */
  readonly otherwise?: readonly [number, string, string];
}

const FORBIDDEN = [403, 'FORBIDDEN', 'forbidden'] as const;

const NAMES = [
  ...['none', 'a wrong secret', 'a wrong access token', 'a wrong session', 'half a session'],
  ...API_KEY_SCOPES.map((scope) => `a key with ${scope}`),
  ...['an access token', 'a CONNECT session', 'a VIEW session', 'a VIEW session of one connection', 'a MANAGE session'],
  ...["a platform's key for an organization", "a platform's key for none", "a session that a platform's key made"],
  ...['a MANAGE session of one connection', 'an expired session', 'an ended session', 'a session of a revoked key'],
];

let switchboard: TestSwitchboard;
let operations: [string, string][];
const credentials = new Map<string, Credential>();
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api', FAILED_LOGINS_PER_MINUTE: '0', SESSION_RATE_LIMIT_PER_MINUTE: '0' });
  operations = leastOperations(
    buildClientSchema(await switchboard.client.query(getIntrospectionQuery({ inputValueDeprecation: true, oneOf: true }))),
  );
  const { client, database } = switchboard;
  const organizationId = client.keys.organizationId as number;
  const never = () => false;
  const bad = (name: string, authorization: string | undefined, refused: Credential['refused'] = 'UNAUTHENTICATED') =>
    credentials.set(name, { authorization, refused, may: never, mayRest: never });
  const basic = ({ publicKey, secretKey }: { publicKey: string; secretKey: string }) =>
    `Basic ${Buffer.from(`${publicKey}:${secretKey}`).toString('base64')}`;
  const scoped = (name: string, authorization: string, scopes: readonly ApiKeyScope[]) =>
    credentials.set(name, {
      ...{ authorization, refused: null },
      may: (field) => fieldScopes[field] === null || scopes.includes(fieldScopes[field] as ApiKeyScope),
      mayRest: (method) => scopes.includes(method === 'GET' ? 'read' : 'manage'),
    });
  const session = async (name: string, fields: readonly string[], input: object) => {
    const { authorization } = await makeSession(client, input);
    credentials.set(name, { authorization, refused: null, may: (field) => fields.includes(field), mayRest: never });
  };

  bad('none', undefined);
  bad('a wrong secret', basic({ ...client.keys, secretKey: 'wrong' }));
  bad('a wrong access token', 'Bearer at_nobody-has-this');
  bad('a wrong session', `Bearer ses_${'A'.repeat(43)}`);
  bad('half a session', 'Bearer ses_');
  for (const scope of API_KEY_SCOPES) {
    const key = await database.transaction((em) => addApiKey({ em }, { organizationId, scopes: [scope] }));
    scoped(`a key with ${scope}`, basic(key), [scope]);
  }
  const answer = await fetch(`${switchboard.publicUrl}/oauth2/token`, {
    ...{ method: 'POST', headers: { authorization: client.authorization } },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: accessToken } = (await answer.json()) as { access_token: string };
  scoped('an access token', `Bearer ${accessToken}`, ['manage', 'publish', 'read']);
  const connectionId = await createKlaviyoConnection(client);
  await session('a CONNECT session', CONNECT, { permissions: ['CONNECT'], connectionId });
  await session('a VIEW session', VIEW, { permissions: ['VIEW'] });
  await session('a VIEW session of one connection', VIEW, { permissions: ['VIEW'], connectionId });
  await session('a MANAGE session', MANAGE, { permissions: ['MANAGE'] });
  // A second connection would exceed the permission.
  const ofOne = MANAGE.filter((field) => field !== 'Mutation.createConnection');
  await session('a MANAGE session of one connection', ofOne, { permissions: ['MANAGE'], connectionId });

  const organization = String(organizationId);
  const platform = await Platform.of(switchboard);
  const ofPlatform = { authorization: platform.authorization, refused: null };
  credentials.set("a platform's key for an organization", {
    ...{ ...ofPlatform, organization, mayRest: () => true },
    may: (field) => fieldScopes[field] !== 'platform',
  });
  credentials.set("a platform's key for none", {
    ...{ ...ofPlatform, mayRest: never, otherwise: [400, 'ORGANIZATION_REQUIRED', 'required'] },
    may: (field) => fieldScopes[field] === 'platform' || ['Query.caller', 'Query.organization'].includes(field),
  });
  const lent = await makeSession(platform.actingFor(organization), { permissions: ['VIEW'] });
  credentials.set("a session that a platform's key made", {
    ...{ authorization: lent.authorization, refused: null, may: (field) => VIEW.includes(field), mayRest: never },
  });

  const [expired, ended] = await Promise.all([1, 2].map(() => makeSession(client, { permissions: ['MANAGE', 'VIEW'] })));
  await switchboard.sql("update sessions set expires_at = now() - interval '1 second' where id = ?", [expired?.id]);
  await switchboard.sql('update sessions set ended_at = now() where id = ?', [ended?.id]);
  bad('an expired session', expired?.authorization, 'SESSION_EXPIRED');
  bad('an ended session', ended?.authorization, 'SESSION_ENDED');
  const maker = await database.transaction((em) => addApiKey({ em }, { organizationId, scopes: ['admin', 'manage', 'read'] }));
  const create = 'mutation { createSession(input: { permissions: [MANAGE] }) { token } }';
  const { data } = await client.send(create, {}, { authorization: basic(maker) });
  await switchboard.sql('update api_keys set revoked_at = now() where id = ?', [maker.apiKeyId]);
  bad('a session of a revoked key', `Bearer ${data.createSession.token}`, 'SESSION_ENDED');
});
afterAll(() => switchboard.close());

const credentialOf = (name: string) => credentials.get(name) as Credential;
const headersOf = ({ authorization, organization }: Credential) => ({
  ...(authorization ? { authorization } : {}),
  ...(organization ? { 'switchboard-organization': organization } : {}),
});
const codeOf = (errors: readonly { extensions: { code: string } }[] | undefined) => errors?.[0]?.extensions.code ?? null;

describe.each(NAMES)('With %s', (name) => {
  it('every root field is answered, or refused with the right code, by POST', async () => {
    const credential = credentialOf(name);
    const { refused, may, otherwise = FORBIDDEN } = credential;
    const found: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const [field, operation] of operations.filter(([one]) => !one.startsWith('Live.'))) {
      const response = await fetch(`${switchboard.publicUrl}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headersOf(credential) },
        body: JSON.stringify({ query: operation }),
      });
      const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
      found[field] = [response.status, codeOf(errors)];
      expected[field] = refused ? [401, refused] : may(field) ? [200, null] : otherwise.slice(0, 2);
    }
    expect(found).toEqual(expected);
  });

  it('and over a websocket, which is closed with 4401 for invalid credentials', async () => {
    const credential = credentialOf(name);
    const { refused, may, otherwise = FORBIDDEN } = credential;
    const live = new LiveClient(`${switchboard.publicUrl}/graphql`, headersOf(credential));
    try {
      if (refused) {
        const closed = (await live.watch(operations[0]?.[1] as string).ended) as { code: number; reason: string };
        const reason = refused === 'UNAUTHENTICATED' ? 'Unauthorized' : refused;
        expect([closed.code, closed.reason]).toEqual([4401, reason]);
        return;
      }
      const found: Record<string, unknown> = {};
      const expected: Record<string, unknown> = {};
      for (const [field, operation] of operations) {
        const { seen, ended } = live.watch(operation);
        const end = (await ended) as { extensions: { code: string } }[] | 'complete';
        found[field] = codeOf(end === 'complete' ? seen[0]?.errors : end);
        // The watched connection does not exist.
        const allowed = field.startsWith('Live.') ? 'NOT_FOUND' : null;
        expected[field] = may(field) ? allowed : otherwise[1];
      }
      expect(found).toEqual(expected);
    } finally {
      await live.close();
    }
  });

  it('and by every REST operation, of which a session has none', async () => {
    const credential = credentialOf(name);
    const { refused, mayRest, otherwise = FORBIDDEN } = credential;
    const document = (await (await fetch(`${switchboard.publicUrl}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, object>>;
    };
    const found: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const method of Object.keys(methods).map((one) => one.toUpperCase())) {
        const response = await fetch(`${switchboard.publicUrl}/api/v3${path.replace(/\{\w+\}/, '987654')}`, {
          method,
          headers: headersOf(credential),
        });
        const body = (await response.json()) as { errors?: { code: string }[] };
        const isRefused = [401, otherwise[0]].includes(response.status) && body.errors?.[0]?.code !== 'invalid';
        found[`${method} ${path}`] = isRefused ? [response.status, body.errors?.[0]?.code] : 'not refused';
        const forbidden = mayRest(method) ? 'not refused' : [otherwise[0], otherwise[2]];
        expected[`${method} ${path}`] = refused ? [401, 'authentication_failed'] : forbidden;
      }
    }
    expect(Object.keys(found)).toHaveLength(12);
    expect(found).toEqual(expected);
  });
});

it('All credentials were tried', () => {
  expect([...credentials.keys()].sort()).toEqual([...NAMES].sort());
});
