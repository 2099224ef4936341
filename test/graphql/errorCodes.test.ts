import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isEnumType } from 'graphql';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { connectionTypes } from '../../src/compose.js';
import { buildSchema } from '../../src/graphql/buildSchema.js';
import { attemptErrorCodes, authorizationErrorCodes } from '../../src/graphql/errorCodes.js';

const schema = buildSchema(
  pino({ enabled: false }),
  connectionTypes.map(({ graphql }) => graphql),
);

/** The stored codes that the values of an enum stand for. */
function codesOf(name: string): string[] {
  const type = schema.getType(name);
  if (!isEnumType(type)) throw new Error(`${name} is not an enum.`);
  return type.getValues().map(({ value }) => value as string);
}

/** What each of the patterns captures in the sources below these folders, without repetitions. */
async function findInSources(folders: readonly string[], patterns: readonly RegExp[]): Promise<string[]> {
  const found = new Set<string>();
  for (const folder of folders) {
    for (const file of await readdir(join('src', folder), { recursive: true })) {
      if (!file.endsWith('.ts')) continue;
      const text = await readFile(join('src', folder, file), 'utf8');
      for (const pattern of patterns) for (const [, code = ''] of text.matchAll(pattern)) found.add(code);
    }
  }
  return [...found].sort();
}

describe('The codes of AuthorizationErrorCode', () => {
  it('are all that this server can store, and those of RFC 6749, 4.1.2.1 and 5.2', async () => {
    const stored = await findInSources(
      ['oauth', 'klaviyo'],
      [
        /new ProviderError\(\s*'\w+',\s*'(\w+)'/g,
        /errorCode: (?:failure\?\.code \?\? )?'(\w+)'/g,
        /refuse\(\s*database,\s*authorization,\s*'(\w+)'/g,
      ],
    );
    expect(stored.length).toBeGreaterThan(12);
    // An access token is refreshed after the authorization, which stores nothing of it.
    const ofRefresh = ['refresh_failed', 'refresh_pending'];
    const [, configuration = ''] = /CONFIGURATION_CODES = new Set\(\[(.*?)\]/.exec(
      await readFile('src/klaviyo/KlaviyoOAuth.ts', 'utf8'),
    ) as RegExpExecArray;
    const ofProvider = [
      ...[...configuration.matchAll(/'(\w+)'/g)].map(([, code = '']) => code),
      ...['invalid_request', 'unauthorized_client', 'access_denied', 'unsupported_response_type', 'invalid_scope'],
      ...['server_error', 'temporarily_unavailable', 'invalid_client', 'invalid_grant', 'unsupported_grant_type'],
    ];
    const expected = new Set([...stored.filter((code) => !ofRefresh.includes(code)), ...ofProvider, 'other']);
    expect(codesOf('AuthorizationErrorCode').sort()).toEqual([...expected].sort());
  });

  it('are OTHER for every other code of a provider, even a name that objects have', () => {
    for (const code of ['consent_required', 'constructor', '__proto__', 'Access_Denied', '']) {
      expect([authorizationErrorCodes.of(code), authorizationErrorCodes.other(code)]).toEqual(['other', code]);
    }
    expect([authorizationErrorCodes.of('access_denied'), authorizationErrorCodes.other('access_denied')]).toEqual([
      'access_denied',
      null,
    ]);
  });
});

describe('The codes of AttemptErrorCode', () => {
  it('are all that this server can store', async () => {
    const literals = await findInSources(['delivery', 'klaviyo/events'], [/\bcode: '(\w+)'(?:,| \|)/g, /\| '(recipient_\w+)'/g]);
    const ofKlaviyo = await findInSources(['klaviyo'], [/\{ code: (?:said\.code \?\? )?'(\w+)', message/g]);
    const [, union = ''] = /type HttpErrorCode =([^;]*);/.exec(
      await readFile('src/delivery/http/guardedHttp.ts', 'utf8'),
    ) as RegExpExecArray;
    const ofHttp = [...union.matchAll(/'(\w+)'/g)].map(([, code = '']) => code);
    expect(ofHttp.length).toBeGreaterThan(8);
    expect(codesOf('AttemptErrorCode').sort()).toEqual([...new Set([...literals, ...ofKlaviyo, ...ofHttp, 'other'])].sort());
  });

  it('are BAD_STATUS for every HTTP status, and OTHER for every other code of a destination', () => {
    for (const status of ['http_404', 'http_500', 'bad_status']) {
      expect([attemptErrorCodes.of(status), attemptErrorCodes.other(status)]).toEqual(['bad_status', null]);
    }
    for (const code of ['EISDIR', 'http_', 'http_4040', 'toString']) {
      expect([attemptErrorCodes.of(code), attemptErrorCodes.other(code)]).toEqual(['other', code]);
    }
  });
});
