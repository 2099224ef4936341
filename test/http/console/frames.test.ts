import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeSession } from '../../support/sessionFlow.js';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
});
afterAll(() => switchboard.close());

/** Who may put the page at a path into a frame. */
async function frameAncestors(path: string): Promise<string | undefined> {
  const { headers } = await fetch(switchboard.publicUrl + path);
  return /frame-ancestors ([^;]*)/.exec(headers.get('content-security-policy') ?? '')?.[1];
}

it('Only the address that <switchboard-console> opens may be framed, by the origin of its session', async () => {
  const { token } = await makeSession(switchboard.client, { permissions: ['VIEW'], origin: 'https://app.example.com' });
  expect(await frameAncestors(`/console/embedded/${token}`)).toBe('https://app.example.com');
  expect(await frameAncestors(`/console/embedded/${token}?accent=red`)).toBe('https://app.example.com');
  const spellings = [
    ...[`/console/embedded/%73${token.slice(1)}`, `/console/%65mbedded/${token}`, `/console/embedded/${token}/`],
    ...[`/console/embedded/${token.slice(0, -1)}`, `/console/${token}`, '/console/embedded/', '/'],
  ];
  for (const path of spellings) expect([path, await frameAncestors(path)]).toEqual([path, "'none'"]);
});
