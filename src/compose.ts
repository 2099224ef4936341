import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pino } from 'pino';
import { createOrganization } from './access/createOrganization.js';
import type { Config } from './config.js';
import type { ConnectionRules } from './connections/ConnectionRules.js';
import type { Database } from './database/Database.js';
import { findFreePort } from './database/embedded/findFreePort.js';
import { Jobs } from './database/Jobs.js';
import { migrate } from './database/migrate.js';
import { checkExtraHeader } from './delivery/http/checkExtraHeader.js';
import { checkWebhookUrl } from './delivery/http/checkWebhookUrl.js';
import { Organization } from './domain/Organization.js';
import { type DemoKeys, readDemoKeys, writeDemoKeys } from './embeddedSecrets.js';
import { buildSchema } from './graphql/buildSchema.js';
import { createServer } from './http/createServer.js';
import { graphiqlExamples } from './http/graphiqlExamples.js';
import { createBoundedFetch } from './klaviyo/createBoundedFetch.js';
import { KlaviyoOAuth } from './klaviyo/KlaviyoOAuth.js';
import { klaviyoScopes } from './klaviyo/klaviyoScopes.js';
import { createRevocations } from './oauth/createRevocations.js';
import type { Provider } from './oauth/Provider.js';
import { releaseGrant } from './oauth/releaseGrant.js';
import { openDatabase } from './openDatabase.js';
import { createSandbox, type Sandbox } from './sandbox/createSandbox.js';

export interface Switchboard {
  /** Where browsers and clients reach it, without a slash at the end. */
  readonly publicUrl: string;
  readonly demoKeys: DemoKeys | null;
  readonly sandbox: Sandbox | null;
  readonly database: Database;
  /** Closes everything, last in first out. */
  close(): Promise<void>;
}

/** The only place that constructs things. Returns once the process serves what its role asks for. */
export async function compose(config: Config): Promise<Switchboard> {
  await using closing = new AsyncDisposableStack();
  const log = pino({ level: config.logLevel, base: null });
  const port = config.port === 0 ? await findFreePort() : config.port;
  const publicUrl = config.publicUrl ?? `http://localhost:${port}`;

  const { database, cipher } = await openDatabase(config, log, closing);
  const jobs = new Jobs(database, log);
  closing.defer(() => jobs.close());
  // The two know nothing of each other's tables, so they may come up side by side.
  await Promise.all([migrate(database), jobs.start()]);

  const { provider, sandbox } = createKlaviyo(config, publicUrl, port, closing);
  const providers: ReadonlyMap<string, Provider> = new Map([[provider.id, provider]]);
  const { revocations, queue } = createRevocations({ database, jobs, cipher, providers, log });
  await jobs.define(queue);
  if (config.role !== 'api') await jobs.work(queue);

  const demoKeys = config.embedded ? await findDemoKeys(database, config.dataDir) : null;
  const app = await createServer({
    schema: buildSchema(log),
    dependencies: {
      database,
      cipher,
      log,
      providers,
      revocations,
      connectionRules: connectionRules(config, provider),
      releaseGrant: (em, connectionId) => releaseGrant({ cipher, revocations }, em, connectionId),
      returnToOrigins: config.returnToOrigins,
    },
    log,
    publicUrl,
    corsOrigins: config.corsOrigins,
    graphiql: {
      defaultHeaders: demoKeys ? { Authorization: basicAuthorization(demoKeys) } : undefined,
      examples: graphiqlExamples,
    },
  });
  closing.defer(() => app.close());
  if (sandbox) await app.register(sandbox.plugin, { prefix: '/sandbox' });
  await app.listen({ port, host: config.host });

  const open = closing.move();
  return { publicUrl, demoKeys, sandbox, database, close: () => open.disposeAsync() };
}

/** Klaviyo itself, or the sandbox in its place. */
function createKlaviyo(
  config: Config,
  publicUrl: string,
  port: number,
  closing: AsyncDisposableStack,
): { provider: Provider; sandbox: Sandbox | null } {
  const { app, authorizeUrl, apiUrl, revision, scopes } = config.klaviyo;
  const common = {
    redirectUri: `${publicUrl}/oauth/klaviyo/callback`,
    revision,
    defaultScopes: scopes,
    fetch: createBoundedFetch({ timeoutMs: 10_000, maxBodyBytes: 64 * 1024 }),
  };
  if (app) return { provider: new KlaviyoOAuth({ ...common, ...app, authorizeUrl, apiUrl, sandbox: false }), sandbox: null };

  const clientId = 'switchboard-sandbox';
  const clientSecret = randomBytes(24).toString('base64url');
  const sandbox = createSandbox({
    clientId,
    clientSecret,
    redirectUris: [common.redirectUri],
    appScopes: klaviyoScopes.map(({ name }) => name),
    baseUrl: () => `${publicUrl}/sandbox`,
    stateFile: join(config.dataDir, 'sandbox.json'),
  });
  closing.defer(() => sandbox.close());
  const provider = new KlaviyoOAuth({
    ...common,
    clientId,
    clientSecret,
    authorizeUrl: `${publicUrl}/sandbox/klaviyo/oauth/authorize`,
    apiUrl: `http://127.0.0.1:${port}/sandbox/klaviyo`,
    sandbox: true,
  });
  return { provider, sandbox };
}

function connectionRules({ delivery, embedded }: Config, { scopes, defaultScopes }: Provider): ConnectionRules {
  // In embedded mode everything happens on one machine, the receiver included.
  const allowPrivateNetworks = embedded
    ? ['127.0.0.0/8', '::1/128', ...delivery.allowPrivateNetworks]
    : delivery.allowPrivateNetworks;
  return {
    checkHeader: checkExtraHeader,
    checkWebhookUrl(url) {
      const check = checkWebhookUrl(url, { allowPrivateNetworks });
      return check.ok ? null : check.problem;
    },
    klaviyo: { scopes, defaultScopes },
  };
}

/** The demo organization's keys; on the very first start the organization is made. */
async function findDemoKeys(database: Database, dataDir: string): Promise<DemoKeys | null> {
  if ((await database.em().count(Organization)) === 0)
    await writeDemoKeys(dataDir, await createOrganization({ database }, 'Demo organization'));
  return readDemoKeys(dataDir);
}

function basicAuthorization({ publicKey, secretKey }: DemoKeys): string {
  return `Basic ${Buffer.from(`${publicKey}:${secretKey}`).toString('base64')}`;
}
