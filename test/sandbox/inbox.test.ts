import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { startSandbox } from './support/startSandbox.js';

const SECRET = `whsec_${Buffer.from('a signing secret of 24 b').toString('base64')}`;
const BODY = '{"event_type":"parcels.event.created","data":{"note":"<b>é</b>"}}';

const send = (url: string, init: RequestInit = {}) =>
  fetch(url, { method: 'POST', redirect: 'manual', body: BODY, headers: { 'content-type': 'application/json' }, ...init });

function signed(secret: string, at = new Date()): Record<string, string> {
  const seconds = Math.floor(at.getTime() / 1_000);
  return {
    'content-type': 'application/json',
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(seconds),
    'webhook-signature': new Webhook(secret).sign('msg_1', new Date(seconds * 1_000), BODY),
  };
}

describe('receiving', () => {
  it('answers 200 and records method, query, headers and body', async () => {
    const { url, inbox } = await startSandbox();
    const response = await send(`${url}/inbox/orders?a=1`, {
      headers: { authorization: 'Bearer seen', 'content-type': 'text/odd' },
    });
    expect(response.status).toBe(200);
    expect(inbox.requests('orders')).toMatchObject([
      {
        sequence: 1,
        method: 'POST',
        query: 'a=1',
        headers: { authorization: 'Bearer seen', 'content-type': 'text/odd' },
        body: BODY,
        bodyBytes: Buffer.byteLength(BODY),
        signature: { verdict: 'unchecked' },
        answered: 200,
      },
    ]);
  });

  it.each(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'])('accepts %s as well', async (method) => {
    const { url, inbox } = await startSandbox();
    expect((await send(`${url}/inbox/orders`, { method, body: undefined, headers: {} })).status).toBe(200);
    expect(inbox.requests('orders')).toMatchObject([{ method, body: '' }]);
  });

  it('keeps 64 KiB of a body and 500 requests of an inbox', async () => {
    const { url, inbox } = await startSandbox();
    await send(`${url}/inbox/big`, { body: 'x'.repeat(100_000) });
    expect(inbox.requests('big')[0]).toMatchObject({ bodyBytes: 100_000, body: 'x'.repeat(65_536) });
    for (let count = 0; count < 510; count += 1) await send(`${url}/inbox/many`);
    expect(inbox.total('many')).toBe(510);
    expect(inbox.requests('many')).toHaveLength(500);
    expect(inbox.requests('many')[0]?.sequence).toBe(11);
  });

  it('shows a browser the page instead', async () => {
    const { url, inbox } = await startSandbox();
    const { get } = await import('node:http');
    const location = await new Promise((resolve) =>
      get(`${url}/inbox/orders`, { headers: { 'sec-fetch-mode': 'navigate' } }, (response) => {
        response.resume();
        resolve(response.headers.location);
      }),
    );
    expect(location).toBe('/sandbox/inbox-view/orders');
    expect(inbox.total('orders')).toBe(0);
  });

  it('refuses an invalid name', async () => {
    const { url } = await startSandbox();
    expect((await send(`${url}/inbox/a%20b`)).status).toBe(404);
  });
});

describe('Standard Webhooks signatures', () => {
  it('valid, invalid, unsigned, and too old', async () => {
    const { url, inbox } = await startSandbox();
    inbox.setSecret('orders', SECRET);
    await send(`${url}/inbox/orders`, { headers: signed(SECRET) });
    await send(`${url}/inbox/orders`, { headers: signed('whsec_b3RoZXI=') });
    await send(`${url}/inbox/orders`);
    await send(`${url}/inbox/orders`, { headers: signed(SECRET, new Date(Date.now() - 600_000)) });
    expect(inbox.requests('orders').map(({ signature }) => signature.verdict)).toEqual([
      'valid',
      'invalid',
      'unsigned',
      'invalid',
    ]);
  });

  it('of two signatures, as during a rotation, one must be valid', async () => {
    const { url, inbox } = await startSandbox();
    inbox.setSecret('orders', SECRET);
    const headers = signed(SECRET);
    headers['webhook-signature'] = `${signed('whsec_b3RoZXI=')['webhook-signature']} ${headers['webhook-signature']}`;
    await send(`${url}/inbox/orders`, { headers });
    expect(inbox.requests('orders')[0]?.signature).toEqual({ verdict: 'valid' });
  });

  it('an invalid secret is refused', async () => {
    const { inbox } = await startSandbox();
    expect(() => inbox.setSecret('orders', 'whsec_')).toThrow();
  });
});

describe('behaviour', () => {
  it.each([
    ['error', 500],
    ['gone', 410],
    ['throttle', 429],
    ['redirect', 302],
  ] as const)('%s answers %i', async (answer, status) => {
    const { url, inbox } = await startSandbox();
    inbox.setBehaviour('orders', { answer, retryAfterSeconds: 3 });
    const response = await send(`${url}/inbox/orders`);
    expect(response.status).toBe(status);
    expect(response.headers.get('retry-after')).toBe(status === 429 ? '3' : null);
    expect(response.headers.get('location')).toBe(status === 302 ? '/sandbox/inbox/redirected' : null);
    expect(inbox.requests('orders')).toMatchObject([{ answered: status }]);
  });

  it('fails so many times, then answers 200', async () => {
    const { url, inbox } = await startSandbox();
    inbox.setBehaviour('orders', { answer: 'error', times: 2 });
    const statuses: number[] = [];
    for (let count = 0; count < 4; count += 1) statuses.push((await send(`${url}/inbox/orders`)).status);
    expect(statuses).toEqual([500, 500, 200, 200]);
  });

  it('a slow response ends when the client disconnects, and its request is not held', async () => {
    const { url, inbox } = await startSandbox();
    inbox.setBehaviour('orders', { answer: 'slow', delayMs: 600_000 });
    const leaving = new AbortController();
    const sent = Array.from({ length: 20 }, () =>
      fetch(`${url}/inbox/orders`, { method: 'POST', body: 'x'.repeat(4_000_000), signal: leaving.signal }).catch(() => 'left'),
    );
    await eventually(() => expect(inbox.total('orders')).toBe(20));
    expect(inbox.waiting()).toBe(20);
    leaving.abort();
    expect(new Set(await Promise.all(sent))).toEqual(new Set(['left']));
    await eventually(() => expect(inbox.waiting()).toBe(0));
  });

  it('slow is late; hang never answers and does not keep the server from closing', async () => {
    const { url, inbox } = await startSandbox();
    inbox.setBehaviour('orders', { answer: 'slow', delayMs: 150 });
    const started = performance.now();
    expect((await send(`${url}/inbox/orders`)).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(140);
    inbox.setBehaviour('orders', { answer: 'hang' });
    await expect(send(`${url}/inbox/orders`, { signal: AbortSignal.timeout(200) })).rejects.toThrow(/timeout/);
    expect(inbox.requests('orders').at(-1)).toMatchObject({ answered: null });
    send(`${url}/inbox/orders`).catch(() => undefined);
  });
});

describe('pages and commands', () => {
  const command = (url: string, form: Record<string, string>) =>
    fetch(`${url}/inbox-control/orders`, { method: 'POST', redirect: 'manual', body: new URLSearchParams(form) });

  it('the page shows body, headers and verdict, escaped', async () => {
    const { url } = await startSandbox();
    await command(url, { action: 'secret', secret: SECRET });
    await send(`${url}/inbox/orders`, { headers: { ...signed(SECRET), authorization: 'Bearer <shown>' } });
    const page = await (await fetch(`${url}/inbox-view/orders`)).text();
    expect(page).toContain('signature valid');
    expect(page).toContain('Bearer &lt;shown&gt;');
    expect(page).toContain('&lt;b&gt;é&lt;/b&gt;');
    expect(page).not.toContain(SECRET);
    expect(await (await fetch(`${url}/inbox`)).text()).toContain('/sandbox/inbox-view/orders');
  });

  it('the form sets the behaviour', async () => {
    const { url, inbox } = await startSandbox();
    const done = await command(url, { action: 'behaviour', answer: 'throttle', retry_after: '8', times: '1', delay_ms: '' });
    expect(done.headers.get('location')).toBe('/sandbox/inbox-view/orders');
    expect(inbox.behaviour('orders')).toEqual({ answer: 'throttle', retryAfterSeconds: 8, times: 1 });
    const nonsense: Record<string, string>[] = [
      { action: 'behaviour', answer: 'sing' },
      { action: 'behaviour', answer: 'error', times: 'many' },
      { action: 'behaviour', answer: 'redirect', location: 'http://a\r\nb: c' },
      { action: 'secret', secret: 'whsec_' },
      { action: 'nothing' },
    ];
    for (const wrong of nonsense) {
      expect((await command(url, wrong)).status).toBe(400);
    }
  });

  it('lists as JSON, in order of arrival', async () => {
    const { url } = await startSandbox();
    await send(`${url}/inbox/orders`);
    await send(`${url}/inbox/orders`, { body: 'second' });
    expect(await (await fetch(`${url}/inbox-control/orders`)).json()).toMatchObject({
      name: 'orders',
      total: 2,
      verifiesSignatures: false,
      behaviour: { answer: 'ok' },
      requests: [{ body: BODY }, { body: 'second' }],
    });
  });
});
