import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose } from '../../src/compose.js';
import { readConfig } from '../../src/config.js';
import { LiveClient } from '../graphql/live/support/LiveClient.js';
import { type OwnServer, startOwnPostgres, whySkipped } from '../support/debianServers.js';
import { eventually } from '../support/eventually.js';
import { localhostCertificate } from '../support/localhostCertificate.js';
import { startSwitchboard, TEST_KEY } from '../support/startSwitchboard.js';
import { createWebhookConnection, publish, subscribe, waitForDelivery } from '../support/webhookFlow.js';

const skipped = whySkipped('postgres');

describe.skipIf(skipped)(`A Postgres that accepts only TLS ${skipped ?? ''}`, () => {
  let server: OwnServer;
  let url: string;
  const withParameters = (parameters: Record<string, string>) => {
    const address = new URL(`postgres://switchboard@localhost:${server.port}/postgres`);
    for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
    return address.href;
  };
  beforeAll(async () => {
    server = await startOwnPostgres({
      hba: ['hostssl all all 127.0.0.1/32 trust'],
      settings: { ssl: 'on', ssl_cert_file: '$FOLDER/server.pem', ssl_key_file: '$FOLDER/server.key' },
      files: {
        'server.pem': localhostCertificate.cert,
        'server.key': localhostCertificate.key,
        'ca.pem': localhostCertificate.ca,
      },
    });
    url = withParameters({ sslmode: 'verify-full', sslrootcert: `${server.folder}/ca.pem` });
  });
  afterAll(() => server?.stop());

  it('is used over TLS by every connection: to migrate, serve, deliver, listen, and do jobs', async () => {
    const switchboard = await startSwitchboard({}, { url, drop: async () => {} });
    try {
      const { client, publicUrl } = switchboard;
      const connectionId = await createWebhookConnection(client, `${publicUrl}/sandbox/inbox/tls`);
      await subscribe(client, connectionId);
      const live = LiveClient.of(client);
      const { seen } = live.watch('subscription ($id: ID) { deliveryUpdated(connectionId: $id) { status } }', {
        id: connectionId,
      });
      await eventually(async () => expect(await switchboard.sql('select 1 from live_watchers')).toHaveLength(1));
      await waitForDelivery(client, await publish(client), 'DELIVERED');
      await eventually(() => expect(seen.at(-1)).toEqual({ data: { deliveryUpdated: { status: 'DELIVERED' } } }));
      const sessions = await switchboard.sql(`
        select application_name as name, bool_and(ssl) as encrypted from pg_stat_activity join pg_stat_ssl using (pid)
        where client_addr is not null group by 1 order by 1`);
      expect(sessions).toEqual(
        [
          'switchboard',
          'switchboard-claims',
          'switchboard-jobs',
          'switchboard-listener',
          'switchboard-outcomes',
          'switchboard-results',
        ].map((name) => ({
          name,
          encrypted: true,
        })),
      );
      expect(await (await fetch(`${publicUrl}/health/ready`)).json()).toMatchObject({ status: 'ok', database: 'ok', alarms: [] });
      await live.close();
    } finally {
      await switchboard.close();
    }
  });

  it.each([
    ['that an unknown authority has signed', () => withParameters({ sslmode: 'verify-full' }), /certificate/],
    ['without TLS', () => withParameters({}), /no encryption|pg_hba/],
  ])('is not used %s', async (_how, address, reason) => {
    const environment = { PORT: '0', LOG_LEVEL: 'silent', ENCRYPTION_KEYS: TEST_KEY, DATABASE_URL: address() };
    await expect(compose(readConfig(environment))).rejects.toThrow(reason);
  });
});
