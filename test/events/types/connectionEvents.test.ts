import { describe, expect, it } from 'vitest';
import { createEventTypeRegistry } from '../../../src/events/types/eventTypeRegistry.js';
import { eventTypes } from '../../../src/events/types/eventTypes.js';
import { without, withValue } from './mutation.js';

const registry = createEventTypeRegistry(eventTypes);
const own = eventTypes.filter(({ name }) => name.startsWith('connections.'));

describe.each(own.map((type) => [type.name, type] as const))('Our own event %s', (name, { sample, internal }) => {
  it('is published by the server alone', () => expect(internal).toBe(true));

  it.each([
    'connection',
    'connection.id',
    'connection.type',
    'connection.name',
    'connection.status',
    'connection.status_reason',
    'occurred_at',
  ])('always has %s', (field) => {
    const path = field.split('.');
    expect(registry.validate(name, without(sample, path))).toMatchObject([{ code: 'REQUIRED', path }]);
  });

  it('has a status in lower case, as JSON bodies do', () => {
    const path = ['connection', 'status'];
    for (const status of ['pending_authorization', 'active', 'reauthorization_required', 'disabled']) {
      expect(registry.validate(name, withValue(sample, path, status))).toEqual([]);
    }
    expect(registry.validate(name, withValue(sample, path, 'ACTIVE'))).toMatchObject([{ code: 'INVALID_CHOICE', path }]);
  });
});
