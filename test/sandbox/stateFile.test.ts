import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventBody, post } from './support/eventRequests.js';
import { getAccounts, install, refresh } from './support/oauthClient.js';
import { startSandbox } from './support/startSandbox.js';

function newStateFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'below', 'state.json');
}

describe('the state file', () => {
  it('keeps grants, accounts and events over a restart, tokens as hashes only, for the owner alone', async () => {
    const stateFile = newStateFile();
    const first = await startSandbox({ stateFile });
    const { id } = first.klaviyo.addAccount({ name: 'Third Store' });
    const tokens = await install(first.url, id);
    await post(first.url, 'events', tokens.access_token, eventBody());
    await first.close();

    expect(statSync(stateFile).mode & 0o777).toBe(0o600);
    const text = readFileSync(stateFile, 'utf8');
    for (const token of [tokens.access_token, tokens.refresh_token]) expect(text).not.toContain(token.slice(0, 40));

    const second = await startSandbox({ stateFile });
    expect((await getAccounts(second.url, tokens.access_token)).status).toBe(200);
    expect((await refresh(second.url, tokens.refresh_token)).status).toBe(200);
    expect(second.klaviyo.events(id)).toMatchObject([{ uniqueId: 'delivery-1' }]);
    await post(second.url, 'events', tokens.access_token, eventBody());
    expect(second.klaviyo.eventTotals(id)).toEqual({ recorded: 1, duplicates: 1 });
  });

  it('that can’t be read is put aside, and the sandbox starts anew', async () => {
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
