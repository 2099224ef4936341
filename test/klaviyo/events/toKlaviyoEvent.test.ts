import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventTypes } from '../../../src/events/types/eventTypes.js';
import { toKlaviyoEvent } from '../../../src/klaviyo/events/toKlaviyoEvent.js';
import { allPaths, withValue } from '../../events/types/mutation.js';
import { attributesOf, CREATED_AT, inputOf, metricOf, parcelData } from './fixtures.js';

describe('The body of POST /api/events', () => {
  it('is a JSON:API event with properties, time, unique_id, metric and profile', () => {
    expect(toKlaviyoEvent(inputOf())).toEqual({
      ok: true,
      body: {
        data: {
          type: 'event',
          attributes: {
            properties: {
              ParcelId: '48210937',
              TrackingNumber: '3SABCD4821093',
              Carrier: 'postnl',
              AnnouncedAt: '2026-03-09T08:12:00Z',
              Phase: 'in_transit',
              PhaseName: 'In Transit',
              Exception: 'none',
              HasException: false,
              Status: 'success',
              SubStatus: 'none',
              Description: 'The parcel has left the sorting centre',
              Source: 'carrier',
              OccurredAt: '2026-03-09T19:41:27Z',
              IsReturn: false,
              EndOfTracking: false,
              IsOffered: false,
              City: 'Utrecht',
              Country: 'NL',
              Depot: 'Utrecht Lage Weide',
            },
            time: '2026-03-09T19:41:27Z',
            unique_id: '4d67f422-0257-5fe9-a4f4-22a4d2cf89f1',
            metric: { data: { type: 'metric', attributes: { name: 'Parcel In Transit' } } },
            profile: { data: { type: 'profile', attributes: { email: 'ann@example.com' } } },
          },
        },
      },
    });
  });

  it('is the same for every retry, except for backfill once the event is old', () => {
    expect(toKlaviyoEvent(inputOf())).toEqual(toKlaviyoEvent(inputOf()));
    const day = Date.parse('2026-03-10T19:41:27Z');
    expect(attributesOf({ nowMs: day })).toEqual(attributesOf());
    expect(attributesOf({ nowMs: day + 1 })).toEqual({ ...attributesOf(), backfill: true });
    expect(attributesOf({ occurredAt: new Date('2026-02-16T09:00:00Z') })).toMatchObject({
      backfill: true,
      time: '2026-02-16T09:00:00Z',
    });
    expect(attributesOf({ nowMs: day + 1, isTest: true })).not.toHaveProperty('backfill');
  });

  it('has a unique_id of event and account: a UUID that is the same for every way to the account', () => {
    const id = attributesOf().unique_id;
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-5[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(attributesOf({ account: 'XyZ789' }).unique_id).not.toBe(id);
    expect(attributesOf({ eventId: '019a0000-0000-7000-8000-000000000002' }).unique_id).not.toBe(id);
  });

  it('has the publisher’s time, which takes precedence over that of the data', () => {
    expect(attributesOf({ occurredAt: new Date('2026-03-09T12:00:00.5Z') }).time).toBe('2026-03-09T12:00:00.500Z');
  });

  it('has value, currency and the publisher’s own properties, which take precedence over those of the data', () => {
    const attributes = attributesOf({
      value: 9.99,
      valueCurrency: 'EUR',
      properties: { 'Order number': 'A-1', Phase: 'own', Gift: true },
    });
    expect(attributes).toMatchObject({
      value: 9.99,
      value_currency: 'EUR',
      properties: { 'Order number': 'A-1', Phase: 'own', Gift: true, PhaseName: 'In Transit' },
    });
    expect(attributesOf()).not.toHaveProperty('value');
  });

  it('has the known attributes of the recipient, and leaves out the others', () => {
    const recipient = { anonymousId: 'anon-1', firstName: ' Ann ', lastName: '', locale: 'nl-nl' };
    expect(attributesOf({ recipient }).profile.data.attributes).toEqual({
      anonymous_id: 'anon-1',
      first_name: 'Ann',
      locale: 'nl-NL',
    });
  });

  it('of a test has a metric of its own, a mark, and the time of sending', () => {
    expect(attributesOf({ isTest: true, properties: { Test: false } })).toMatchObject({
      metric: { data: { attributes: { name: 'Switchboard Test' } } },
      properties: { Test: true, TrackingNumber: '3SABCD4821093' },
      time: '2026-03-09T19:45:00Z',
    });
  });

  it('does not change the data', () => {
    const data = parcelData({ extra_data: { a: { b: 1 } } });
    const before = structuredClone(data);
    toKlaviyoEvent(inputOf({ data }));
    expect(data).toEqual(before);
  });

  it('follows Klaviyo’s rules, whatever one field of a sample is replaced by', () => {
    const anyType = fc.constantFrom(...eventTypes);
    const anyChange = anyType.chain((type) =>
      fc.tuple(fc.constant(type), fc.constantFrom(...allPaths(type.sample)), fc.jsonValue()),
    );
    fc.assert(
      fc.property(anyChange, ([{ name, sample }, path, value]) => {
        const { properties, time, metric } = attributesOf({
          eventType: name,
          data: withValue(sample, path, value) as Record<string, unknown>,
        });
        expect(metric.data.attributes.name).toMatch(/^.{1,127}$/u);
        expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/);
        expect(Object.keys(properties).length).toBeLessThanOrEqual(300);
        for (const [key, property] of Object.entries(properties)) {
          expect(key).toMatch(/^[\p{L}\p{N}]+$/u);
          expect(['string', 'number', 'boolean']).toContain(typeof property);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('An event type without a mapping of its own', () => {
  it('has its readable name as metric, flat properties, and the time at which it occurred', () => {
    const { sample, name } = eventTypes.find(
      (type) => type.name === 'connections.authorization.completed',
    ) as (typeof eventTypes)[number];
    const changes = { eventType: name, data: sample };
    expect(metricOf(changes)).toBe('Connections Authorization Completed');
    expect(attributesOf(changes).properties).toEqual({
      ConnectionId: '1042',
      ConnectionType: 'klaviyo',
      ConnectionName: 'Acme marketing',
      ConnectionStatus: 'active',
      OccurredAt: '2026-03-09T09:15:02Z',
      AccountId: 'AbC123',
      AccountName: 'Acme',
      GrantedScopes: 'accounts:read, events:write',
    });
    expect(attributesOf(changes).time).toBe('2026-03-09T09:15:02Z');
  });

  it('has the time of publishing when its data has none', () => {
    expect(attributesOf({ eventType: 'orders.created', data: { total: 3 }, createdAt: CREATED_AT }).time).toBe(
      '2026-03-09T19:45:00Z',
    );
  });

  it('has a metric name under 128 characters', () => {
    expect(metricOf({ eventType: `a.${'b'.repeat(300)}`, data: {} })).toHaveLength(127);
  });
});
