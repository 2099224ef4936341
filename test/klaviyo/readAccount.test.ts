import { describe, expect, it } from 'vitest';
import { readAccount } from '../../src/klaviyo/KlaviyoOAuth.js';

const answer = (status: number, body: string, type = 'application/vnd.api+json') =>
  readAccount(new Response(body, { status, headers: { 'content-type': type } }));
const refusal = (code: string) => JSON.stringify({ errors: [{ id: 'x', code, title: 'No.', detail: 'No.' }] });

describe("A refusal of Klaviyo's accounts API", () => {
  it.each([
    [401, 'not_authenticated'],
    [403, 'permission_denied'],
  ])('%i that says %s is about the grant', async (status, code) => {
    await expect(answer(status, refusal(code))).rejects.toMatchObject({ kind: 'grant', code });
  });

  it.each<[number, string, string?]>([
    [401, '<html>Sign in to the proxy</html>', 'text/html'],
    [401, refusal('maintenance')],
    [403, '<html>Just a moment...</html>', 'text/html'],
    [403, refusal('account_suspended_for_a_moment')],
    [403, '{"errors":"none"}'],
    [403, '{"errors":[null]}'],
    [403, 'null'],
    [403, ''],
  ])('%i with %j says nothing about the grant', async (status, body, type) => {
    await expect(answer(status, body, type)).rejects.toMatchObject({ kind: 'transient', code: 'provider_unavailable' });
  });
});
