import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify from 'fastify';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { callErrors, inputProblems } from '../../../src/domain/errors.js';
import { handleErrors, refuseWhileClosing } from '../../../src/http/handleErrors.js';
import { createTestDatabase, type TestDatabase } from '../../support/createTestDatabase.js';
import { eventually } from '../../support/eventually.js';
import { startSwitchboard } from '../../support/startSwitchboard.js';
import { RestClient } from './support/RestClient.js';

describe('docs/errors.md', () => {
  it('has the status, the codes and the remedy of every error', async () => {
    const lines = (await readFile('docs/errors.md', 'utf8')).split('\n');
    for (const [code, { status, jsonApi }] of Object.entries(callErrors)) {
      const line = lines.find((text) => text.startsWith(`| ${status} | \`${code}\``));
      expect(line, code).toContain(`\`${jsonApi}\``);
    }
    for (const [code, { jsonApi }] of Object.entries(inputProblems)) {
      expect(
        lines.find((text) => text.startsWith(`| \`${code}\` |`)),
        code,
      ).toContain(`\`${jsonApi}\``);
    }
  });
});

describe('Without its database', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('the server responds with 503 and Retry-After, and recovers by itself', async () => {
    const switchboard = await startSwitchboard({ ROLE: 'api' }, database);
    const rest = new RestClient(switchboard.publicUrl, switchboard.client.authorization);
    const name = new globalThis.URL(database.url).pathname.slice(1);
    const admin = new pg.Client({ connectionString: inject('postgresUrl') });
    await admin.connect();
    try {
      await admin.query(`alter database ${name} allow_connections false`);
      await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name]);
      await eventually(async () => expect((await rest.get('/connections')).status).toBe(503));
      const { headers, body } = await rest.get('/connections');
      expect(headers.get('retry-after')).toBe('5');
      expect(body.errors).toMatchObject([{ status: '503', code: 'non_field_errors' }]);
      const graphql = await switchboard.client.send('{ organization { id } }');
      expect(graphql).toMatchObject({ status: 503, errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }] });
      expect(graphql.headers.get('retry-after')).toBe('5');
      await admin.query(`alter database ${name} allow_connections true`);
      await eventually(async () => expect((await rest.get('/connections')).status).toBe(200));
    } finally {
      await admin.query(`alter database ${name} allow_connections true`);
      await admin.end();
      await switchboard.close();
    }
  });
});

describe('While it stops', () => {
  it('the server finishes running requests, and responds with 503 and Retry-After to later ones on open connections', async () => {
    const app = fastify({ return503OnClosing: false });
    handleErrors(app, { debug() {}, info() {}, warn() {}, error() {} });
    refuseWhileClosing(app);
    let finish = () => {};
    app.get('/slow', () => new Promise((resolve) => (finish = () => resolve({ done: true }))));
    app.get('/quick', async () => ({ quick: true }));
    const origin = new globalThis.URL(await app.listen({ port: 0, host: '127.0.0.1' }));
    const open = () => {
      const socket = connect(Number(origin.port), origin.hostname);
      const heard = { socket, answers: '' };
      socket.on('data', (chunk) => (heard.answers += chunk));
      return heard;
    };
    const busy = open();
    busy.socket.write('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n');
    await eventually(() => expect(String(finish)).toContain('resolve'));
    // The second connection has sent half of its next request.
    const late = open();
    late.socket.write('GET /quick HTTP/1.1\r\nhost: a\r\n\r\n');
    await eventually(() => expect(late.answers).toContain('"quick":true'));
    late.socket.write('GET /quick HTTP/1.1\r\nho');
    await sleep(50);
    const closed = app.close();
    await sleep(50);
    late.socket.write('st: a\r\n\r\n');
    await eventually(() => expect(late.answers).toMatch(/503 Service Unavailable.*retry-after: 5/s));
    expect(late.answers).toContain('"code":"non_field_errors","detail":"This server is stopping.');
    finish();
    await closed;
    await eventually(() => expect(busy.answers).toMatch(/200 OK.*connection: close.*"done":true/s));
    for (const { socket } of [busy, late]) socket.destroy();
  });
});
