import { createTestDatabase } from './createTestDatabase.js';
import { type StandaloneKlaviyo, startKlaviyo } from './startKlaviyo.js';
import { startLinkedSwitchboard } from './startLinkedSwitchboard.js';

type LinkedServer = Awaited<ReturnType<typeof startLinkedSwitchboard>>;

export interface ServerPair {
  readonly klaviyo: StandaloneKlaviyo;
  readonly one: LinkedServer;
  readonly two: LinkedServer;
  close(): Promise<void>;
}

/** Starts two servers on one database, behind one address, as two processes are. Klaviyo is a third one. */
export async function startServerPair(environment: Record<string, string> = {}): Promise<ServerPair> {
  const [klaviyo, shared] = await Promise.all([startKlaviyo(), createTestDatabase()]);
  const one = await startLinkedSwitchboard(klaviyo, { shared, environment });
  const two = await startLinkedSwitchboard(klaviyo, { shared, environment, publicUrl: one.ownUrl });
  return {
    ...{ klaviyo, one, two },
    async close() {
      await Promise.all([one.close(), two.close()]);
      await Promise.all([shared.drop(), klaviyo.close()]);
    },
  };
}
