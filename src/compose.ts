import { pino } from 'pino';
import { createOrganization } from './access/createOrganization.js';
import { forgetAnswers } from './access/idempotentRequests.js';
import type { ConnectionType } from './ConnectionType.js';
import { composeChores } from './composeChores.js';
import { composeHttp, type OpenConnectionTypes, openConnectionTypes } from './composeConnectionTypes.js';
import { composeErasing } from './composeErasing.js';
import { composeKlaviyo } from './composeKlaviyo.js';
import type { Config } from './config.js';
import { createConnection } from './connections/createConnection.js';
import { checkEncryptionKeys } from './database/checkEncryptionKeys.js';
import type { Database } from './database/Database.js';
import { findFreePort } from './database/embedded/findFreePort.js';
import { Jobs } from './database/Jobs.js';
import { migrate } from './database/migrate.js';
import { OldSnapshotWatch } from './database/OldSnapshotWatch.js';
import { createDeliverySignal } from './delivery/DeliverySignal.js';
import { createDeliveryEngine } from './delivery/engine/DeliveryEngine.js';
import { insertDeliveries, WaitingQuota } from './delivery/queue/insertDeliveries.js';
import { cancelForSubscription, sweepQueue } from './delivery/queue/tasks.js';
import { Connection } from './domain/Connection.js';
import { OperatorAlarms } from './domain/OperatorAlarm.js';
import { Organization } from './domain/Organization.js';
import { type DemoKeys, embeddedKeyPath, readDemoKeys, writeDemoKeys } from './embeddedSecrets.js';
import { connectionNotices } from './events/connectionNotices.js';
import { createEventTypeRegistry } from './events/types/eventTypeRegistry.js';
import { eventTypes } from './events/types/eventTypes.js';
import { buildSchema } from './graphql/buildSchema.js';
import { createServer } from './http/createServer.js';
import { createWorkerServer } from './http/createWorkerServer.js';
import { graphiqlExamples } from './http/graphiqlExamples.js';
import { type KlaviyoServices, klaviyoType } from './klaviyo/klaviyoType.js';
import { ChangeFeed } from './live/ChangeFeed.js';
import { declareScopeMissing } from './oauth/checkConnection.js';
import { declareGrantLost, getProviderAccessToken } from './oauth/getProviderAccessToken.js';
import { createRevocations, releaseGrant } from './oauth/revokeAuthorization.js';
import { openDatabase } from './openDatabase.js';
import { ConfigError } from './readEnvironment.js';
import type { Sandbox } from './sandbox/createSandbox.js';
import { webhookType } from './webhook/webhookType.js';

export interface Switchboard {
  /** The URL at which browsers and clients reach the server, without a slash at the end. */
  readonly publicUrl: string;
  readonly demoKeys: DemoKeys | null;
  readonly sandbox: Sandbox | null;
  readonly database: Database;
  /** Closes everything, in reverse order. */
  close(): Promise<void>;
}

/** Maximum pool connections of a worker that also serves callers, besides those of its engine. */
const WORK_POOL_SIZE = 3;

/** All connection types, one line each. */
export const connectionTypes: readonly ConnectionType<KlaviyoServices>[] = [webhookType, klaviyoType];

/**
 * Constructs all parts of a process, together with the compose* modules. Returns once the process serves what its role requires.
 */
export async function compose(config: Config, types = connectionTypes): Promise<Switchboard> {
  await using closing = new AsyncDisposableStack();
  const log = pino({ level: config.logLevel, base: null });
  const port = config.port === 0 ? await findFreePort() : config.port;
  const publicUrl = config.publicUrl ?? `http://localhost:${port}`;
  const serves = config.role !== 'worker';
  const works = config.role !== 'api';

  const alarms = new OperatorAlarms(log);
  const { database, cipher } = await openDatabase(config, { log, alarms, closing });
  const jobs = new Jobs(database, log);
  closing.defer(() => jobs.close());
  // The two use separate tables, so they may run concurrently.
  await Promise.all([migrate(database), jobs.start()]);
  const wrongKeys = await checkEncryptionKeys({ database, cipher });
  if (wrongKeys)
    throw new ConfigError(`${config.encryptionKeys ? 'ENCRYPTION_KEYS' : embeddedKeyPath(config.dataDir)} ${wrongKeys}`);

  const redirectUri = (type: string) => `${publicUrl}/oauth/${type}/callback`;
  const { klaviyo, sandbox } = await composeKlaviyo(config, {
    ...{ database, publicUrl, port, log, closing },
    redirectUri: redirectUri('klaviyo'),
  });
  // Deliveries must not wait for a database connection behind callers of the API.
  const workDatabase = serves && works ? await database.another(WORK_POOL_SIZE) : database;
  if (workDatabase !== database) closing.defer(() => workDatabase.close());
  const opened: OpenConnectionTypes = openConnectionTypes(
    types,
    {
      ...{ database, workDatabase, cipher, redirectUri, klaviyo, ...composeHttp(config, closing) },
      accessToken: (connectionId, refusedVersion) =>
        getProviderAccessToken({ ...tokens, database: workDatabase }, connectionId, refusedVersion),
      scopeMissing: (...missing) => declareScopeMissing({ database: workDatabase, notices }, ...missing),
    },
    alarms,
  );
  const { destinations, providers } = opened;
  const { revocations, queue, waitingCiphertexts } = createRevocations({ database, jobs, cipher, providers, log });
  await jobs.define(queue);
  if (works) await jobs.work(queue);

  let wakeEngine: () => void = () => {};
  const deliverySignal = createDeliverySignal({ database, wakeEngine: () => wakeEngine() });
  const publishing = {
    database,
    cipher,
    eventTypes: createEventTypeRegistry(eventTypes),
    insertDeliveries,
    deliverySignal,
    waitingQuota: new WaitingQuota(database, config.delivery.maxWaiting),
  };
  const notices = connectionNotices(publishing);
  const tokens = {
    ...{ database, cipher, providers, log, now: Date.now },
    declareGrantLost: (credential: { connectionId: number; version: number }, reason: string) =>
      declareGrantLost({ database, notices }, credential, reason),
  };
  const erasing = composeErasing(
    jobs,
    {
      ...{ database: workDatabase, cipher, log, sweepQueue },
      releaseGrant: (em, connectionId) => releaseGrant({ cipher, revocations }, em, connectionId),
      forgetAnswers: (em, organizationId, speaksOf) => forgetAnswers({ cipher }, em, organizationId, speaksOf),
    },
    closing,
  );
  await jobs.define(erasing.queue);
  if (works) await jobs.work(erasing.queue);
  if (works) {
    const { retryDelaysMs, concurrency, concurrencyPerConnection, maxAgeMs } = config.delivery;
    const engine = createDeliveryEngine({
      ...{ database: workDatabase, destinations, log, alarm: alarms },
      options: { retryDelaysMs, concurrency, concurrencyPerConnection, maxAgeMs },
      onConnectionDisabled: async (em, { connectionId, failingSince }) =>
        notices.disabled(em, await em.findOneOrFail(Connection, connectionId), failingSince),
    });
    wakeEngine = () => engine.wake();
    await engine.start();
    closing.defer(() => engine.stop());
    const snapshots = new OldSnapshotWatch({ database: workDatabase, alarms });
    closing.defer(() => snapshots.close());
  }

  const creating = { database, cipher, connectionTypes: opened.connectionTypes };
  const changes = new ChangeFeed({ database, log, alarm: alarms, watchesPerOrganization: config.liveWatchesPerOrganization });
  closing.defer(() => changes.close());
  const demoKeys = config.embedded ? await findDemoKeys(database, config.dataDir) : null;
  const app = serves
    ? await createServer({
        schema: buildSchema(
          log,
          types.map(({ graphql }) => graphql),
        ),
        connectionTypes: types,
        dependencies: {
          ...publishing,
          ...tokens,
          ...{ revocations, notices, alarms, destinations, changes },
          ...creating,
          createLinkedConnection: (em, caller, type, name) => createConnection(creating, caller, { type, name }, em),
          releaseGrant: (em, connectionId) => releaseGrant({ cipher, revocations }, em, connectionId),
          sweepQueue,
          wakeErasing: erasing.wakeErasing,
          cancelForSubscription,
          returnToOrigins: config.returnToOrigins,
          publicUrl,
          limits: {
            requestsPerMinute: config.rateLimitPerMinute,
            failedLoginsPerMinute: config.failedLoginsPerMinute,
            accessTokensPerKey: config.accessTokensPerKey,
            sessionsPerOrganization: config.sessionsPerOrganization,
            sessionRequestsPerMinute: config.sessionRateLimitPerMinute,
          },
        },
        log,
        publicUrl,
        corsOrigins: config.corsOrigins,
        installUrl: config.installUrl,
        brand: config.brand,
        trustedProxies: config.trustedProxies,
        metricsToken: config.metricsToken,
        limits: config.request,
        console: { defaultKeys: demoKeys, inboxUrl: sandbox ? `${publicUrl}/sandbox/inbox/mine` : null },
        graphiql: {
          defaultHeaders: demoKeys ? { Authorization: basicAuthorization(demoKeys) } : undefined,
          examples: graphiqlExamples(sandbox ? `${publicUrl}/sandbox/inbox/mine` : 'https://example.com/webhooks/parcels'),
        },
      })
    : createWorkerServer({ database, alarms }, config.metricsToken, log);
  closing.defer(() => app.close());
  if (sandbox) await app.register(sandbox.plugin, { prefix: '/sandbox' });
  await app.listen({ port, host: config.host });
  // Periodic chores are scheduled after callers are served.
  if (works) {
    const { maxAgeMs } = config.delivery;
    const chores = composeChores(
      { ...tokens, notices, revocations, waitingCiphertexts },
      { retentionMs: config.retentionMs, maxAgeMs },
      opened.chores,
    );
    await jobs.scheduleAll([...chores, erasing.chore]);
  }

  const open = closing.move();
  return { publicUrl, demoKeys, sandbox, database, close: () => open.disposeAsync() };
}

/** Returns the demo organization's keys. Creates the organization at the very first start. */
async function findDemoKeys(database: Database, dataDir: string): Promise<DemoKeys | null> {
  if ((await database.em().count(Organization)) === 0) {
    await writeDemoKeys(dataDir, await createOrganization({ database }, 'Demo organization'));
  }
  return readDemoKeys(dataDir);
}

function basicAuthorization({ publicKey, secretKey }: DemoKeys): string {
  return `Basic ${Buffer.from(`${publicKey}:${secretKey}`).toString('base64')}`;
}
