import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

/**
 * Old clients get 200 for every failure from some servers; Apollo says 400 to them as to new ones (application/graphql-response+json),
 * and so do we: what is wrong with the call has the fitting status.
 */
const DELIBERATE = ['572B', 'FDE2', '7B9B'];
/** GET with nothing but a URL is what other sites can make a browser send. */
const CSRF_PREVENTION = ['5A70', 'D6D5', '6A70'];

/** With the caller's keys, or without any. */
async function audit(withKeys: boolean) {
  const fetchFn = (url: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (withKeys) headers.set('authorization', switchboard.client.authorization);
    return fetch(url, { ...init, headers });
  };
  const audits = serverAudits({ url: `${switchboard.publicUrl}/graphql`, fetchFn });
  const results = await Promise.all(audits.map((one) => one.fn()));
  const having = (status: string) => results.filter((result) => result.status === status).map(({ id }) => id);
  return { total: results.length, errors: having('error'), warnings: having('warn'), notices: having('notice') };
}

describe('GraphQL over HTTP, as graphql-http audits it', () => {
  it.each([
    ['with keys', true],
    ['without keys', false],
  ] as const)('has no error and no warning but the deliberate ones, %s', async (_how, withKeys) => {
    const { total, errors, warnings, notices } = await audit(withKeys);
    expect(total).toBeGreaterThan(50);
    expect(errors).toEqual([]);
    expect(warnings).toEqual(DELIBERATE);
    expect(notices).toEqual(CSRF_PREVENTION);
  });
});
