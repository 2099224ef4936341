import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';

let bare: TestSwitchboard;
let withFrontend: TestSwitchboard;
beforeAll(async () => {
  [bare, withFrontend] = await Promise.all([
    startSwitchboard(),
    startSwitchboard({ INSTALL_URL: 'https://app.example.com/install?from=klaviyo' }),
  ]);
});
afterAll(() => Promise.all([bare.close(), withFrontend.close()]));

const install = (server: TestSwitchboard, query = '') =>
  fetch(`${server.publicUrl}/oauth/klaviyo/install${query}`, { redirect: 'manual' });

describe('An install that begins at Klaviyo', () => {
  it('goes on in the frontend, with what Klaviyo added', async () => {
    const answer = await install(withFrontend, '?account=AbC123&from=elsewhere');
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe('https://app.example.com/install?from=klaviyo&account=AbC123');
  });

  it('shows what to do where there is no frontend', async () => {
    const answer = await install(bare);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain('Sign in to that app');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });
});
