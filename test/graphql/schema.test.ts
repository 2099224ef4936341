import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  buildSchema as buildFromText,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  printSchema,
} from 'graphql';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { connectionTypes } from '../../src/compose.js';
import { buildSchema } from '../../src/graphql/buildSchema.js';

const schema = buildSchema(
  pino({ enabled: false }),
  connectionTypes.map(({ graphql }) => graphql),
);
const FILE = fileURLToPath(new URL('../../schema.graphql', import.meta.url));

const rootsOf = (one: GraphQLSchema) => ({
  query: one.getQueryType()?.name,
  mutation: one.getMutationType()?.name,
  subscription: one.getSubscriptionType()?.name,
});

describe('The schema', () => {
  it('printed and parsed has the same roots, and Subscription is not one of them', () => {
    const sdl = printSchema(schema);
    expect(sdl).toMatch(/schema \{\n {2}query: Query\n {2}mutation: Mutation/);
    const reread = buildFromText(sdl);
    expect(rootsOf(reread)).toEqual(rootsOf(schema));
    expect(rootsOf(schema)).toMatchObject({ query: 'Query', mutation: 'Mutation' });
    expect([undefined, 'Live']).toContain(rootsOf(schema).subscription);
    expect(isObjectType(reread.getType('Subscription'))).toBe(true);
    expect(printSchema(reread)).toBe(sdl);
  });

  it.runIf(existsSync(FILE))('is what schema.graphql says: npm run schema makes it anew', async () => {
    expect(await readFile(FILE, 'utf8')).toBe(`${printSchema(schema)}\n`);
  });

  it('deprecates nothing without saying what to use instead', () => {
    const reasons = Object.values(schema.getTypeMap()).flatMap((type) => {
      const members = isEnumType(type)
        ? type.getValues()
        : isObjectType(type) || isInputObjectType(type)
          ? Object.values(type.getFields())
          : [];
      return members.map(({ deprecationReason }) => deprecationReason).filter((reason) => typeof reason === 'string');
    });
    expect(reasons.length).toBeGreaterThan(10);
    expect(reasons.filter((reason) => !/^Use \w/.test(reason))).toEqual([]);
  });

  it('takes exactly one configuration of a connection (OneOf input object)', () => {
    const type = schema.getType('ConnectionConfigurationInput');
    expect(isInputObjectType(type) && type.isOneOf).toBe(true);
    expect(isInputObjectType(type) && Object.keys(type.getFields())).toEqual(['klaviyo', 'webhook']);
  });

  it('describes every type, field, argument and value', () => {
    const silent: string[] = [];
    const check = (name: string, described: { description?: string | null }) => {
      if (!described.description?.trim()) silent.push(name);
    };
    for (const type of Object.values(schema.getTypeMap())) {
      if (type.name.startsWith('__')) continue;
      check(type.name, type);
      if (isEnumType(type)) for (const value of type.getValues()) check(`${type.name}.${value.name}`, value);
      if (isInputObjectType(type))
        for (const field of Object.values(type.getFields())) check(`${type.name}.${field.name}`, field);
      if (!isObjectType(type) && !isInterfaceType(type)) continue;
      for (const field of Object.values(type.getFields())) {
        check(`${type.name}.${field.name}`, field);
        for (const argument of field.args) check(`${type.name}.${field.name}(${argument.name})`, argument);
      }
    }
    expect(silent).toEqual([]);
  });

  it('has no output field for a stored secret', () => {
    const values = Object.values(schema.getTypeMap()).flatMap((type) =>
      isObjectType(type) && !type.name.startsWith('__')
        ? Object.values(type.getFields())
            .filter((field) => isLeafType(getNamedType(field.type)))
            .map((field) => ({ type: type.name, field: field.name }))
        : [],
    );
    const suspects = values.filter(({ field }) => /secret|password|token|apiKey|authConfig|verifier|^state$/i.test(field));
    expect(suspects.map(({ type, field }) => `${type}.${field}`).sort()).toEqual([
      // Returned once, to the creator of the key.
      'CreateApiKeyPayload.secretKey',
      // Returned once, to the creator of the session.
      'CreateSessionPayload.token',
      // The time of expiry, not the token.
      'Grant.accessTokenExpiresAt',
      'KlaviyoConfiguration.accessTokenExpiresAt',
      'SigningSecretPayload.previousSecretExpiresAt',
      // The purpose of this payload is the secret that we created for the merchant.
      'SigningSecretPayload.signingSecret',
    ]);
  });
});
