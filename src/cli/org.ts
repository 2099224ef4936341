import { parseArgs } from 'node:util';
import { addApiKey, endApiKey } from '../access/apiKeys.js';
import { createOrganization } from '../access/createOrganization.js';
import { createPlatformKey, listPlatformKeys } from '../access/platform.js';
import type { Database } from '../database/Database.js';
import { API_KEY_SCOPES, ApiKey, type ApiKeyScope } from '../domain/ApiKey.js';
import { parseId } from '../domain/ids.js';
import { Organization } from '../domain/Organization.js';
import { runCommand, UsageError } from './runCommand.js';

const USAGE = `Usage:
  npm run org -- create <name> [--json]
  npm run org -- list [--json]
  npm run org -- keys list <organizationId> [--json]
  npm run org -- keys add <organizationId> [--name <name>] [--scopes ${API_KEY_SCOPES.join(',')}] [--oauth-only] [--json]
  npm run org -- keys revoke <publicKey> [--json]
  npm run org -- platform [--name <name>] [--json]
  npm run org -- platform list [--json]`;

interface Call {
  readonly database: Database;
  readonly words: readonly string[];
  readonly options: { readonly name?: string; readonly scopes?: string; readonly 'oauth-only'?: boolean };
}

const COMMANDS: Record<string, (call: Call) => Promise<object>> = {
  async create({ database, words: [name] }) {
    if (!name?.trim()) throw new UsageError(`Which name?\n${USAGE}`);
    const { organizationId, publicKey, secretKey } = await createOrganization({ database }, name.trim());
    return { organizationId, publicKey, secretKey };
  },
  async list({ database }) {
    const organizations = await database.em().find(Organization, {}, { orderBy: { id: 'asc' } });
    return organizations.map(({ id, externalId, name, createdAt }) => ({ organizationId: id, externalId, name, createdAt }));
  },
  async 'keys list'({ database, words: [id] }) {
    const owner = await organizationId(database, id);
    const keys = await database.em().find(ApiKey, { organizationId: owner }, { orderBy: { id: 'desc' } });
    return keys.map(({ publicKey, name, scopes, oauthOnly, createdAt, lastUsedAt, revokedAt }) => ({
      publicKey,
      name,
      scopes,
      oauthOnly,
      createdAt,
      lastUsedAt,
      revokedAt,
    }));
  },
  async 'keys add'({ database, words: [id], options }) {
    const owner = await organizationId(database, id);
    const key = { name: options.name, scopes: readScopes(options.scopes), oauthOnly: options['oauth-only'] };
    const { publicKey, secretKey } = await database.transaction((em) => addApiKey({ em }, { organizationId: owner, ...key }));
    return { organizationId: owner, publicKey, secretKey };
  },
  async 'keys revoke'({ database, words: [publicKey = ''] }) {
    if (!(await endApiKey({ database }, publicKey))) throw new UsageError(`There is no working key "${publicKey}".`);
    return { revoked: publicKey };
  },
  platform({ database, words, options }) {
    if (words.length > 0) throw new UsageError(USAGE);
    return createPlatformKey({ database }, options.name?.trim() || null);
  },
  async 'platform list'({ database }) {
    const keys = await listPlatformKeys({ database });
    return keys.map(({ publicKey, name, createdAt, lastUsedAt, revokedAt }) => {
      return { publicKey, name, createdAt, lastUsedAt, revokedAt };
    });
  },
};

await runCommand(async (database) => {
  const { positionals, values } = readArguments();
  const [first = '', second = '', ...rest] = positionals;
  const nested = COMMANDS[`${first} ${second}`];
  const command = nested ?? COMMANDS[first];
  if (!command) throw new UsageError(USAGE);
  const answer = await command({ database, words: nested ? rest : positionals.slice(1), options: values });
  if (values.json) console.log(JSON.stringify(answer));
  else if (Array.isArray(answer)) console.table(answer);
  else for (const [name, value] of Object.entries(answer)) console.log(`${name}: ${value}`);
});

function readArguments() {
  try {
    const options = {
      json: { type: 'boolean' },
      name: { type: 'string' },
      scopes: { type: 'string' },
      'oauth-only': { type: 'boolean' },
    } as const;
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`);
  }
}

async function organizationId(database: Database, text = ''): Promise<number> {
  const id = parseId(text);
  const found = id === null ? null : await database.em().findOne(Organization, id);
  if (!found) throw new UsageError(`There is no organization "${text}"; "list" shows them.`);
  return found.id;
}

function readScopes(text: string | undefined): ApiKeyScope[] | undefined {
  const scopes = text?.split(',') as ApiKeyScope[] | undefined;
  const unknown = scopes?.find((scope) => !API_KEY_SCOPES.includes(scope));
  if (unknown !== undefined) throw new UsageError(`There is no scope "${unknown}". There are: ${API_KEY_SCOPES.join(', ')}.`);
  return scopes;
}
