import { type RecordingProxy, startRecordingProxy } from './startRecordingProxy.js';
import { type StandaloneSandbox, startStandaloneSandbox } from './startStandaloneSandbox.js';

export { CLIENT_SECRET } from './startStandaloneSandbox.js';

export interface StandaloneKlaviyo extends StandaloneSandbox {
  /** Records the requests and responses between a server and the token and API endpoints of this Klaviyo. */
  readonly proxy: RecordingProxy;
}

/** Starts a Klaviyo outside of all servers, and records its responses. */
export async function startKlaviyo(): Promise<StandaloneKlaviyo> {
  const sandbox = await startStandaloneSandbox();
  const proxy = await startRecordingProxy(sandbox.origin);
  return {
    ...sandbox,
    proxy,
    environmentFor: (publicUrl) => ({
      ...sandbox.environmentFor(publicUrl),
      KLAVIYO_API_URL: `${proxy.origin}/sandbox/klaviyo`,
    }),
    async close() {
      await proxy.close();
      await sandbox.close();
    },
  };
}
