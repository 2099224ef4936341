import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventTypeRegistry } from '../../../src/events/types/eventTypeRegistry.js';
import { eventTypes } from '../../../src/events/types/eventTypes.js';
import {
  parcelEventCreated,
  parcelEventExceptions,
  parcelEventPhases,
  parcelEventSources,
  parcelEventStatusTypes,
  parcelEventSubStatuses,
} from '../../../src/events/types/parcelEvents.js';
import { allPaths, without, withValue } from './mutation.js';

const registry = createEventTypeRegistry(eventTypes);
const validate = (data: unknown) => registry.validate('parcels.event.created', data);
const { sample } = parcelEventCreated;

const REQUIRED = [
  'parcel',
  'event',
  'parcel.parcel_id',
  'parcel.carrier_code',
  'event.event_type',
  'event.timestamp',
  'event.phase',
  'event.exception',
  'event.status_type',
  'event.sub_status',
];
const CHOICES = {
  event_type: [parcelEventSources, 4],
  phase: [parcelEventPhases, 18],
  exception: [parcelEventExceptions, 29],
  status_type: [parcelEventStatusTypes, 3],
  sub_status: [parcelEventSubStatuses, 56],
} as const;

describe('parcels.event.created (OpenAPI schema ParcelEventCreatedPayload)', () => {
  it.each(Object.entries(CHOICES))(
    'event.%s takes each value of the document, and they are all there',
    (field, [choices, count]) => {
      expect(new Set(choices).size).toBe(count);
      for (const choice of choices) expect(validate(withValue(sample, ['event', field], choice))).toEqual([]);
    },
  );

  it.each(Object.keys(CHOICES))('event.%s accepts no other value', (field) => {
    for (const wrong of ['', 'NONE!', 'None ', 'xyzzy']) {
      expect(validate(withValue(sample, ['event', field], wrong))).toMatchObject([
        { code: 'INVALID_CHOICE', path: ['event', field] },
      ]);
    }
    expect(validate(withValue(sample, ['event', field], null)).map(({ path }) => path)).toContainEqual(['event', field]);
  });

  it.each(REQUIRED)('%s is required, and may not be null', (name) => {
    const path = name.split('.');
    expect(validate(without(sample, path))).toEqual([{ code: 'REQUIRED', message: `${name} is required.`, path }]);
    expect(validate(withValue(sample, path, null))).toContainEqual(
      expect.objectContaining({ code: expect.stringMatching(/^INVALID/), path }),
    );
  });

  it('everything else may be null or missing', () => {
    const optional = allPaths(sample).filter((path) => !REQUIRED.includes(path.join('.')));
    expect(optional.map((path) => path.join('.'))).toEqual(
      expect.arrayContaining([
        'parcel.announced_at',
        'event.extra_data',
        'event.location_details',
        'event.location_details.service_point_id',
      ]),
    );
    for (const path of optional) {
      expect(validate(withValue(sample, path, null))).toEqual([]);
      expect(validate(without(sample, path))).toEqual([]);
    }
  });

  it('extra_data is an object of any shape', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (extra) => {
        expect(validate(withValue(sample, ['event', 'extra_data'], extra))).toEqual([]);
      }),
    );
    expect(validate(withValue(sample, ['event', 'extra_data'], []))).toMatchObject([
      { code: 'INVALID', path: ['event', 'extra_data'] },
    ]);
  });

  it('unknown fields are accepted, as in the OpenAPI description', () => {
    for (const path of [['order_id'], ['parcel', 'weight'], ['event', 'eta'], ['event', 'location_details', 'latitude']]) {
      expect(validate(withValue(sample, path, { any: ['thing'] }))).toEqual([]);
    }
  });

  it('numbers are whole numbers, texts are texts, flags are flags', () => {
    const wrong: [string, unknown, string][] = [
      ['parcel.parcel_id', '12345678', 'parcel.parcel_id must be a whole number, not text.'],
      ['parcel.parcel_id', 1.5, 'parcel.parcel_id must be a whole number, not a number with a fraction.'],
      ['parcel.tracking_number', 42, 'parcel.tracking_number must be text or null, not a number.'],
      ['event.is_returned', 'false', 'event.is_returned must be true or false or null, not text.'],
      ['event.location_details', 'Utrecht', 'event.location_details must be an object or null, not text.'],
      ['event.location_details.city', ['Utrecht'], 'event.location_details.city must be text or null, not a list.'],
    ];
    for (const [name, value, message] of wrong) {
      expect(validate(withValue(sample, name.split('.'), value))).toEqual([{ code: 'INVALID', message, path: name.split('.') }]);
    }
  });

  it.each(['event.timestamp', 'parcel.announced_at'])('%s is a date-time with an offset', (name) => {
    const path = name.split('.');
    expect(validate(withValue(sample, path, '2026-01-15T11:30:00.250+01:00'))).toEqual([]);
    for (const wrong of ['yesterday', '2026-01-15', '2026-01-15 10:30:00Z', '2026-01-15T10:30:00', '2026-02-30T10:30:00Z', '']) {
      expect(validate(withValue(sample, path, wrong))).toEqual([
        {
          code: 'INVALID',
          message: `${name} must be a date and time with an offset from UTC, such as 2026-01-15T10:30:00Z.`,
          path,
        },
      ]);
    }
  });

  it('names the allowed values when they are few, and the nearest one', () => {
    const message = (field: string, value: string) => validate(withValue(sample, ['event', field], value))[0]?.message;
    expect(message('status_type', 'sucess')).toBe(
      'event.status_type must be one of error, success, warning. Did you mean "success"?',
    );
    expect(message('phase', 'In-Transit')).toMatch(/one of accepted, .*, unknown\. Did you mean "in_transit"\?$/);
    expect(message('sub_status', 'neighbor')).toBe(
      'event.sub_status must be one of the 56 values that the event type\'s schema lists. Did you mean "neighbour"?',
    );
    expect(message('sub_status', 'zzzzzzzzzz')).not.toContain('Did you mean');
  });

  it('reports all problems at once', () => {
    const found = validate({ parcel: { parcel_id: 'x' }, event: { phase: 'flying' } });
    expect(found.map(({ path }) => path.join('.')).sort()).toEqual([
      'event.event_type',
      'event.exception',
      'event.phase',
      'event.status_type',
      'event.sub_status',
      'event.timestamp',
      'parcel.carrier_code',
      'parcel.parcel_id',
    ]);
  });

  it('whatever one field of the sample is replaced by, every problem is at that field or inside it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...allPaths(sample)), fc.jsonValue(), (path, value) => {
        for (const problem of validate(withValue(sample, path, value))) {
          expect(problem.path.slice(0, path.length)).toEqual(path);
          expect(problem.message).toMatch(/^\S.*[.?]$/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('validates at least 10,000 events in a second of CPU time', () => {
    validate(sample);
    const before = process.threadCpuUsage();
    for (let count = 0; count < 10_000; count++) validate(sample);
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(1000);
  });
});
