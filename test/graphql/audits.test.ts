import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard();
});
afterAll(() => switchboard.close());

/** Runs the audits with or without the caller's keys. */
async function audit(withKeys: boolean) {
  const fetchFn = (url: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (withKeys) headers.set('authorization', switchboard.client.authorization);
    return fetch(url, { ...init, headers });
  };
  const audits = serverAudits({ url: `${switchboard.publicUrl}/graphql`, fetchFn });
  return Promise.all(audits.map((one) => one.fn()));
}

describe('GraphQL over HTTP, as graphql-http audits it', () => {
  it.each([
    ['with keys', true],
    ['without keys', false],
  ] as const)('is all ok, %s', async (_how, withKeys) => {
    const results = await audit(withKeys);
    expect(results).toHaveLength(61);
    expect(results.filter(({ status }) => status !== 'ok').map(({ id, name, status }) => `${status}: ${id} ${name}`)).toEqual([]);
  });
});
