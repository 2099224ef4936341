import { describe, expect, it } from 'vitest';
import { createEventTypeRegistry } from '../../../src/events/types/eventTypeRegistry.js';
import { eventTypes } from '../../../src/events/types/eventTypes.js';

const orders = {
  name: 'orders.created',
  description: 'An order was made.',
  schema: {
    type: 'object',
    required: ['lines', 'currency'],
    additionalProperties: false,
    properties: {
      currency: { const: 'EUR' },
      lines: {
        type: 'array',
        items: {
          type: 'object',
          required: ['sku'],
          properties: { sku: { type: 'string' }, quantity: { type: 'integer', minimum: 1 } },
        },
      },
    },
  },
  sample: { lines: [{ sku: 'A1', quantity: 2 }], currency: 'EUR' },
};

describe('The event type registry', () => {
  const registry = createEventTypeRegistry(eventTypes);

  it('lists the parcel event and our own events, in the order of their definition', () => {
    expect(registry.list().map(({ name, internal = false }) => ({ name, internal }))).toEqual([
      { name: 'parcels.event.created', internal: false },
      { name: 'connections.authorization.completed', internal: true },
      { name: 'connections.reauthorization.required', internal: true },
      { name: 'connections.account.changed', internal: true },
      { name: 'connections.scopes.missing', internal: true },
      { name: 'connections.disabled', internal: true },
    ]);
  });

  it.each(eventTypes.map((type) => [type.name, type] as const))(
    '%s has a description, and a sample that its schema accepts',
    (name, type) => {
      expect(registry.get(name)).toBe(type);
      expect(type.description).toMatch(/\.$/);
      expect(registry.validate(name, type.sample)).toEqual([]);
    },
  );

  it.each(eventTypes.map((type) => [type.name, type] as const))('every field in the schema of %s is described', (_name, type) => {
    const missing: string[] = [];
    const look = (schema: Record<string, unknown>, at: string): void => {
      for (const [key, field] of Object.entries((schema.properties ?? {}) as Record<string, Record<string, unknown>>)) {
        if (typeof field.description !== 'string') missing.push(`${at}${key}`);
        look(field, `${at}${key}.`);
      }
    };
    look(type.schema, '');
    expect(missing).toEqual([]);
  });

  it('finds no undefined type, not even under a name that every object inherits', () => {
    for (const name of ['parcels.event.deleted', 'constructor', '__proto__', '']) expect(registry.get(name)).toBeUndefined();
    expect(() => registry.validate('parcels.event.deleted', {})).toThrow(RangeError);
  });

  it('refuses a name that is defined twice', () => {
    expect(() => createEventTypeRegistry([orders, orders])).toThrow('"orders.created" is defined twice');
  });

  it.each(['Orders', 'orders', 'orders..created', 'orders.Created', ''])('refuses the name "%s"', (name) => {
    expect(() => createEventTypeRegistry([{ ...orders, name }])).toThrow('must be named like');
  });

  it('reads a schema strictly: a mistyped keyword is an error, not ignored', () => {
    const mistyped = createEventTypeRegistry([{ ...orders, schema: { type: 'object', requierd: ['lines'] } }]);
    expect(() => mistyped.validate('orders.created', {})).toThrow('requierd');
  });
});

describe('A problem', () => {
  const registry = createEventTypeRegistry([orders]);
  const problems = (data: unknown) => registry.validate('orders.created', data);

  it('has the path into data, with list positions as text', () => {
    expect(problems({ currency: 'EUR', lines: [{ sku: 'A1' }, { quantity: 1 }] })).toEqual([
      { code: 'REQUIRED', message: 'lines.1.sku is required.', path: ['lines', '1', 'sku'] },
    ]);
  });

  it('is MIN_VALUE with the minimum', () => {
    expect(problems({ currency: 'EUR', lines: [{ sku: 'A1', quantity: 0 }] })).toEqual([
      { code: 'MIN_VALUE', message: 'lines.0.quantity must be at least 1.', path: ['lines', '0', 'quantity'] },
    ]);
  });

  it('is UNKNOWN_FIELD where a schema is closed, and unescapes names in the path', () => {
    expect(problems({ currency: 'EUR', lines: [], 'a/b~c': 1 })).toEqual([
      { code: 'UNKNOWN_FIELD', message: 'a/b~c is not a known field.', path: ['a/b~c'] },
    ]);
  });

  it('is NOT_A_LIST where a list is expected', () => {
    expect(problems({ currency: 'EUR', lines: { sku: 'A1' } })).toEqual([
      { code: 'NOT_A_LIST', message: 'lines must be a list, not an object.', path: ['lines'] },
    ]);
  });

  it('is INVALID_CHOICE with the only allowed value', () => {
    expect(problems({ currency: 'USD', lines: [] })).toEqual([
      { code: 'INVALID_CHOICE', message: 'currency must be EUR.', path: ['currency'] },
    ]);
  });

  it.each([null, 'text', 7, true, [[]]])('about data that is %j itself has an empty path', (data) => {
    expect(problems(data)).toEqual([
      { code: 'INVALID', message: expect.stringMatching(/^data must be an object, not /), path: [] },
    ]);
  });

  it('is one of at most 20', () => {
    expect(problems({ currency: 'EUR', lines: Array.from({ length: 500 }, () => ({})) })).toHaveLength(20);
  });

  it('stays short when names and values are long', () => {
    const found = problems({ currency: 'x'.repeat(10_000), lines: [], ['y'.repeat(10_000)]: 1 });
    expect(found).toHaveLength(2);
    for (const { message } of found) expect(message.length).toBeLessThan(200);
  });
});
