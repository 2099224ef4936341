import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type MadeSession, makeSession } from '../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

const SHOP = 'https://shop.example';
const LISTED = 'https://app.example.com';
const EVIL = 'https://evil.example';
const SEE = '{ organization { name } }';

let switchboard: TestSwitchboard;
/** Sessions: one for pages of SHOP, and one without an origin. */
let ofShop: MadeSession;
let ofNone: MadeSession;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api', CORS_ORIGINS: LISTED });
  ofShop = await makeSession(switchboard.client, { permissions: ['VIEW'], origin: SHOP });
  ofNone = await makeSession(switchboard.client, { permissions: ['VIEW'] });
});
afterAll(() => switchboard.close());

const preflight = (origin: string, path = '/graphql') =>
  fetch(`${switchboard.publicUrl}${path}`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
  });
const opened = ({ headers }: { headers: Headers }) => [
  headers.get('access-control-allow-origin'),
  headers.get('access-control-allow-credentials'),
];

describe('A pre-flight request, which has no token,', () => {
  it('is allowed for the origin of a session, without credentials', async () => {
    const answer = await preflight(SHOP);
    expect(answer.status).toBe(204);
    expect(opened(answer)).toEqual([SHOP, null]);
    expect(answer.headers.get('access-control-allow-headers')).toBe('authorization,content-type');
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET, POST');
    expect(answer.headers.get('vary')).toContain('Origin');
  });

  it('is allowed for CORS_ORIGINS as before, and for no other origin', async () => {
    expect(opened(await preflight(LISTED))).toEqual([LISTED, 'true']);
    for (const origin of [EVIL, 'null', 'https://shop.example.evil.example', 'http://shop.example', `${SHOP}:8443`]) {
      expect((await preflight(origin)).headers.get('access-control-allow-origin'), origin).toBeNull();
    }
  });

  it('is refused for other paths, since a session calls GraphQL only', async () => {
    for (const path of ['/api/v3/event-subscriptions/connections', '/oauth2/token', '/graphiql']) {
      expect((await preflight(SHOP, path)).headers.get('access-control-allow-origin'), path).toBeNull();
    }
  });
});

describe('A call of a session', () => {
  it('that names another organization is refused in a way that pages of its origin can read', async () => {
    for (const [organization, status, code] of [
      ['987654', 403, 'FORBIDDEN'],
      ['', 400, 'ORGANIZATION_INVALID'],
    ] as const) {
      const answer = await ofShop.send(SEE, {}, { origin: SHOP, 'switchboard-organization': organization });
      expect(answer).toMatchObject({ status, errors: [{ extensions: { code } }] });
      expect(opened(answer)).toEqual([SHOP, null]);
      const elsewhere = await ofShop.send(SEE, {}, { origin: EVIL, 'switchboard-organization': organization });
      expect(elsewhere).toMatchObject({ status, errors: [{ extensions: { code } }] });
      expect(elsewhere.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('can be read by pages of its origin, without credentials', async () => {
    const answer = await ofShop.send(SEE, {}, { origin: SHOP });
    expect(answer).toMatchObject({ status: 200, data: { organization: { name: 'Acme' } } });
    expect(opened(answer)).toEqual([SHOP, null]);
    expect(answer.headers.get('access-control-expose-headers')).toContain('retry-after');
    expect(answer.headers.get('vary')).toContain('Origin');
  });

  it.each([
    ['of its origin', 'shop', SHOP, true],
    ['of ours', 'shop', 'own', true],
    ['of CORS_ORIGINS', 'shop', LISTED, false],
    ['of a stranger', 'shop', EVIL, false],
    ['in a frame without origin', 'shop', 'null', false],
    ['of CORS_ORIGINS, when it names none', 'none', LISTED, true],
    ['of ours, when it names none', 'none', 'own', true],
    ["of another session's origin, when it names none", 'none', SHOP, false],
  ])('from a page %s', async (_case, whose, page, allowed) => {
    const session = whose === 'shop' ? ofShop : ofNone;
    const origin = page === 'own' ? switchboard.publicUrl : page;
    const answer = await session.send(SEE, {}, { origin });
    if (allowed) expect(answer).toMatchObject({ status: 200, errors: undefined });
    else {
      expect(answer).toMatchObject({ status: 403, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
      if (page !== LISTED) expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
    const byGet = await fetch(`${switchboard.publicUrl}/graphql?query=${encodeURIComponent(SEE)}`, {
      headers: { origin, authorization: session.authorization },
    });
    expect(byGet.status).toBe(allowed ? 200 : 403);
  });

  it('by a program, which sends no Origin, is accepted: the check does not protect against a thief', async () => {
    expect((await ofShop.send(SEE)).status).toBe(200);
  });

  it('that has ended can still be read by its own pages, so that they learn why, and by no others', async () => {
    const session = await makeSession(switchboard.client, { permissions: ['VIEW'], origin: SHOP });
    const end = 'mutation ($id: ID!) { endSession(input: { id: $id }) { session { id } } }';
    await switchboard.client.query(end, { id: session.id });
    const answer = await session.send(SEE, {}, { origin: SHOP });
    expect(answer).toMatchObject({ status: 401, errors: [{ extensions: { code: 'SESSION_ENDED' } }] });
    expect(opened(answer)).toEqual([SHOP, null]);
    const byGet = await fetch(`${switchboard.publicUrl}/graphql?query=${encodeURIComponent(SEE)}`, {
      headers: { origin: SHOP, authorization: session.authorization },
    });
    expect([byGet.status, ...opened(byGet)]).toEqual([401, SHOP, null]);
    const elsewhere = await session.send(SEE, {}, { origin: EVIL });
    expect([elsewhere.status, elsewhere.headers.get('access-control-allow-origin')]).toEqual([401, null]);
  });

  it("does not make a key's responses readable for pages of a session", async () => {
    const answer = await switchboard.client.send(SEE, {}, { origin: SHOP });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

/**
 * Opens a websocket from a page of this origin with these credentials. Returns 'ack', the close code, or the HTTP status.
 */
function connect(origin: string, authorization: string, asHeader = false): Promise<'ack' | number> {
  return new Promise((resolve) => {
    const headers = { origin, ...(asHeader ? { authorization } : {}) };
    const url = `${switchboard.publicUrl.replace('http', 'ws')}/graphql`;
    const socket = new WebSocket(url, 'graphql-transport-ws', { headers });
    const payload = asHeader ? {} : { Authorization: authorization };
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
    socket.on('message', (data) => {
      if (JSON.parse(String(data)).type !== 'connection_ack') return;
      resolve('ack');
      socket.close();
    });
    socket.on('close', (code) => resolve(code));
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
    socket.on('error', () => {});
  });
}

describe('A websocket of a session', () => {
  it.each([
    ['its own origin', SHOP, 'ack'],
    ['CORS_ORIGINS', LISTED, 4403],
    ['a stranger', EVIL, 403],
  ])('from a page of %s', async (_case, origin, outcome) => {
    expect(await connect(origin, ofShop.authorization)).toBe(outcome);
  });

  it('without an origin is for pages of CORS_ORIGINS and our own', async () => {
    expect(await connect(LISTED, ofNone.authorization)).toBe('ack');
    expect(await connect(switchboard.publicUrl, ofNone.authorization)).toBe('ack');
    expect(await connect(SHOP, ofNone.authorization)).toBe(4403);
  });

  it('does not let a key call from its origin, not even one that the browser remembers', async () => {
    expect(await connect(SHOP, switchboard.client.authorization)).toBe(4403);
    expect(await connect(SHOP, switchboard.client.authorization, true)).toBe(4403);
    expect(await connect(LISTED, switchboard.client.authorization)).toBe('ack');
  });
});
