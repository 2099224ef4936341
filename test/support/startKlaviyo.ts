import { type RecordingProxy, startRecordingProxy } from './startRecordingProxy.js';
import { type StandaloneSandbox, startStandaloneSandbox } from './startStandaloneSandbox.js';

export { CLIENT_SECRET } from './startStandaloneSandbox.js';

export interface StandaloneKlaviyo extends StandaloneSandbox {
  /** What passed between a server and this Klaviyo's token and API endpoints. */
  readonly proxy: RecordingProxy;
}

/** A Klaviyo outside of all servers, whose every word is kept. */
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
