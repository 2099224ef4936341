import { findFreePort } from '../../src/database/embedded/findFreePort.js';
import type { TestDatabase } from './createTestDatabase.js';
import type { StandaloneKlaviyo } from './startKlaviyo.js';
import { startSwitchboard, type TestSwitchboard } from './startSwitchboard.js';

/** Starts a server that uses a Klaviyo outside of it. With `publicUrl` it is one more process of the server there. */
export async function startLinkedSwitchboard(
  klaviyo: Pick<StandaloneKlaviyo, 'environmentFor'>,
  {
    environment = {},
    shared,
    publicUrl,
  }: { environment?: Record<string, string>; shared?: TestDatabase; publicUrl?: string } = {},
): Promise<TestSwitchboard & { readonly ownUrl: string }> {
  const port = await findFreePort();
  const ownUrl = `http://127.0.0.1:${port}`;
  const url = publicUrl ?? ownUrl;
  const switchboard = await startSwitchboard(
    { PORT: String(port), PUBLIC_URL: url, ...klaviyo.environmentFor(url), ...environment },
    shared,
  );
  return { ...switchboard, ownUrl };
}
