import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../support/startSwitchboard.js';
import { createConnection, updateConnection } from './support/connectionCalls.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
});
afterAll(() => switchboard.close());

const create = (input: object) => createConnection(switchboard.client, input);
const update = (input: object) => updateConnection(switchboard.client, input);
const url = 'https://example.com/hooks';

describe('The field configuration of createConnection', () => {
  it('tells the type, which may be left out', async () => {
    const webhook = await create({ configuration: { webhook: { url } } });
    expect(webhook).toMatchObject({
      connection: { type: 'WEBHOOK', status: 'ACTIVE', configuration: { url } },
      userErrors: [],
    });
    const klaviyo = await create({ name: 'Ours', configuration: { klaviyo: { scopes: ['lists:read'] } } });
    expect(klaviyo.connection).toMatchObject({ type: 'KLAVIYO', name: 'Ours', status: 'PENDING_AUTHORIZATION' });
    expect(klaviyo.connection.configuration.requestedScopes).toContain('lists:read');
    expect((await create({ type: null, configuration: { klaviyo: {} } })).connection).toMatchObject({ type: 'KLAVIYO' });
  });

  it('may stand beside the type that it is of', async () => {
    const { connection } = await create({ type: 'WEBHOOK', configuration: { webhook: { url, authType: 'NONE' } } });
    expect(connection).toMatchObject({ type: 'WEBHOOK', configuration: { url, authType: 'NONE' } });
  });

  it('is refused with a type that it is not of', async () => {
    const { connection, userErrors } = await create({ type: 'KLAVIYO', configuration: { webhook: { url } } });
    expect(connection).toBeNull();
    expect(userErrors).toEqual([
      {
        code: 'INVALID',
        message: 'A klaviyo connection takes no "webhook" configuration.',
        path: ['configuration', 'webhook'],
      },
    ]);
    expect((await create({ type: 'WEBHOOK', configuration: { klaviyo: {} } })).userErrors).toMatchObject([
      { code: 'INVALID', path: ['configuration', 'klaviyo'] },
      { code: 'REQUIRED', path: ['configuration', 'webhook'] },
    ]);
  });

  it.each(['webhook', 'klaviyo'])('is refused beside the deprecated field %s', async (name) => {
    const both = { configuration: { webhook: { url } }, [name]: name === 'webhook' ? { url } : {} };
    expect(await create(both)).toEqual({
      connection: null,
      userErrors: [{ code: 'INVALID', message: `Give either "configuration" or "${name}", which is deprecated.`, path: [name] }],
    });
  });

  it('or the type is required', async () => {
    for (const input of [{}, { name: 'x' }, { type: null, configuration: null }, { webhook: { url } }]) {
      expect((await create(input)).userErrors).toEqual([
        { code: 'REQUIRED', message: 'A connection needs a "configuration", or a "type".', path: ['type'] },
      ]);
    }
  });

  it('begins the path of every problem and warning of it', async () => {
    const { userErrors } = await create({ configuration: { webhook: { url: 'ftp://example.com', authType: 'BEARER' } } });
    expect(userErrors.map(({ path }: { path: string[] }) => path)).toEqual([
      ['configuration', 'webhook', 'url'],
      ['configuration', 'webhook', 'authConfig', 'token'],
    ]);
    const { createConnection: made } = await switchboard.client.query(
      `mutation { createConnection(input: { configuration: { klaviyo: { scopes: ["unknown:read"] } } }) {
        warnings { code path } userErrors { code } } }`,
    );
    expect(made).toEqual({
      warnings: [{ code: 'UNKNOWN_SCOPE', path: ['configuration', 'klaviyo', 'scopes', '0'] }],
      userErrors: [],
    });
    const name = await create({ name: 'x'.repeat(201), configuration: { webhook: { url } } });
    expect(name.userErrors).toMatchObject([{ path: ['name'] }]);
  });

  it.each([
    ['none', {}],
    ['two', { webhook: { url }, klaviyo: {} }],
    ['null', { webhook: null }],
  ])('with %s in it is no valid value of a OneOf input object', async (_how, configuration) => {
    const { status, data, errors } = await switchboard.client.send(
      'mutation ($input: CreateConnectionInput!) { createConnection(input: $input) { connection { id } } }',
      { input: { configuration } },
    );
    expect({ status, data }).toEqual({ status: 400, data: undefined });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
  });
});

describe('The field configuration of updateConnection', () => {
  it('changes what it names, and keeps the rest', async () => {
    const { connection } = await create({
      configuration: { webhook: { url, extraHeaders: [{ name: 'X-Shop', value: '1' }] } },
    });
    const moved = 'https://example.com/other';
    const changed = await update({ id: connection.id, configuration: { webhook: { url: moved } } });
    expect(changed).toMatchObject({
      userErrors: [],
      connection: { configuration: { url: moved, extraHeaders: [{ name: 'X-Shop', value: '1' }] } },
    });
  });

  it('is refused for a connection of another type, and beside a deprecated field', async () => {
    const { connection } = await create({ configuration: { webhook: { url } } });
    expect((await update({ id: connection.id, configuration: { klaviyo: {} } })).userErrors).toMatchObject([
      { code: 'INVALID', path: ['configuration', 'klaviyo'] },
    ]);
    const both = { configuration: { webhook: { url } }, webhook: { url } };
    expect((await update({ id: connection.id, ...both })).userErrors).toMatchObject([{ code: 'INVALID', path: ['webhook'] }]);
    expect((await update({ id: '987654', configuration: { webhook: { url } } })).userErrors).toMatchObject([
      { code: 'NOT_FOUND', path: ['id'] },
    ]);
  });
});
