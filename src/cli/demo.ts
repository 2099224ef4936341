import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOrganization } from '../access/createOrganization.js';
import { compose } from '../compose.js';
import { readConfig } from '../config.js';
import { authorizeKlaviyo } from './demo/authorizeKlaviyo.js';
import { DemoClient } from './demo/DemoClient.js';
import { deliverToInbox } from './demo/deliverToInbox.js';

/** Runs the whole story against the sandbox automatically. Exit code 0 when every step succeeded. */
const dataDir = await mkdtemp(join(tmpdir(), 'switchboard-demo-'));
// Readable for the user that Postgres runs as under root, so that the data is in this folder and removed with it.
await chmod(dataDir, 0o755);
try {
  const environment = {
    LOG_LEVEL: 'silent',
    ...process.env,
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: dataDir,
    DELIVERY_RETRY_DELAYS: '1s',
    SANDBOX: 'on',
    ...{ KLAVIYO_CLIENT_ID: '', KLAVIYO_CLIENT_SECRET: '', KLAVIYO_AUTHORIZE_URL: '', KLAVIYO_API_URL: '' },
  };
  const switchboard = await compose(readConfig(environment));
  try {
    console.log(`\nSwitchboard runs at ${switchboard.publicUrl}, with a database of its own and the sandbox in Klaviyo's place.`);
    const keys = switchboard.demoKeys ?? (await createOrganization({ database: switchboard.database }, 'Demo'));
    const client = new DemoClient(switchboard.publicUrl, keys);
    await authorizeKlaviyo(client);
    await deliverToInbox(client);
    console.log('\nThat is the whole story. Now try it yourself: npm start\n');
  } finally {
    await switchboard.close();
  }
} catch (error) {
  console.error(`\n✗ The demo failed: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
