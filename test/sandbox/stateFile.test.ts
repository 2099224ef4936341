import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventBody, post } from './support/eventRequests.js';
import { getAccounts, install, refresh } from './support/oauthClient.js';
import { REDIRECT_URI, startSandbox } from './support/startSandbox.js';

function newStateFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'below', 'state.json');
}

describe('the state file', () => {
  it('keeps grants, accounts and events over a restart, with tokens as hashes only, readable by the owner only', async () => {
    const stateFile = newStateFile();
    const first = await startSandbox({ stateFile });
    const { id } = first.klaviyo.addAccount({ name: 'Third Store' });
    const tokens = await install(first.url, id);
    await post(first.url, 'events', tokens.access_token, eventBody());
    const app = first.klaviyo.addApp({ name: 'Mine', redirectUris: ['http://localhost:3000/callback'] });
    first.klaviyo.setRedirectUris('own', ['https://other.example/callback']);
    await first.close();

    expect(statSync(stateFile).mode & 0o777).toBe(0o600);
    const text = readFileSync(stateFile, 'utf8');
    for (const token of [tokens.access_token, tokens.refresh_token]) expect(text).not.toContain(token.slice(0, 40));

    const second = await startSandbox({ stateFile });
    expect((await getAccounts(second.url, tokens.access_token)).status).toBe(200);
    expect((await refresh(second.url, tokens.refresh_token)).status).toBe(200);
    expect(second.klaviyo.events(id)).toMatchObject([{ uniqueId: 'delivery-1' }]);
    expect(second.klaviyo.apps()).toEqual([
      expect.objectContaining({ redirectUris: [REDIRECT_URI, 'https://other.example/callback'] }),
      app,
    ]);
    await post(second.url, 'events', tokens.access_token, eventBody());
    expect(second.klaviyo.eventTotals(id)).toEqual({ recorded: 1, duplicates: 1 });
  });

  it('of a version with a single app still works', async () => {
    const stateFile = newStateFile();
    const before = await startSandbox({ stateFile });
    const tokens = await install(before.url, 'SbX001');
    await post(before.url, 'events', tokens.access_token, eventBody());
    await before.close();
    const { apps: _, profiles: __, ...saved } = JSON.parse(readFileSync(stateFile, 'utf8'));
    for (const grant of saved.grants.grants) delete grant.appId;
    for (const account of saved.events) {
      delete account.metrics;
      for (const event of account.events) for (const name of ['id', 'profileId']) delete event[name];
    }
    writeFileSync(stateFile, JSON.stringify(saved));

    const { url, klaviyo } = await startSandbox({ stateFile });
    expect((await refresh(url, tokens.refresh_token)).status).toBe(200);
    expect(klaviyo.events('SbX001')).toMatchObject([{ id: expect.stringMatching(/^[\w-]{22}$/), uniqueId: 'delivery-1' }]);
  });

  it('that can’t be read is renamed, and the sandbox starts empty', async () => {
    const stateFile = newStateFile();
    const before = await startSandbox({ stateFile });
    before.klaviyo.addAccount({ name: 'x' });
    await before.close();
    writeFileSync(stateFile, '{ half');
    const { klaviyo } = await startSandbox({ stateFile });
    expect(klaviyo.accounts()).toHaveLength(2);
    expect(readFileSync(`${stateFile}.unreadable`, 'utf8')).toBe('{ half');
  });
});
