import { describe, expect, it } from 'vitest';
import { parcelEventExceptions, parcelEventPhases } from '../../../src/events/types/parcelEvents.js';
import { attributesOf, metricOf, parcelData } from './fixtures.js';

describe('The metric of a parcel event', () => {
  it.each([
    ['accepted', 'Parcel Accepted'],
    ['announced', 'Parcel Announced'],
    ['announcing', 'Parcel Being Announced'],
    ['attempted', 'Parcel Delivery Attempted'],
    ['cancelled', 'Parcel Cancelled'],
    ['customs', 'Parcel In Customs'],
    ['delivered', 'Parcel Delivered'],
    ['delivery_forced', 'Parcel Delivery Forced'],
    ['dropped', 'Parcel Dropped Off'],
    ['in_delivery', 'Parcel Out For Delivery'],
    ['in_transit', 'Parcel In Transit'],
    ['labelled', 'Parcel Labelled'],
    ['none', 'Parcel Updated'],
    ['no_label', 'Parcel Without Label'],
    ['pup', 'Parcel At Pickup Point'],
    ['ready_to_send', 'Parcel Ready To Send'],
    ['sorted', 'Parcel Sorted'],
    ['unknown', 'Parcel Status Unknown'],
  ] as const)('in phase %s is "%s"', (phase, name) => {
    expect(metricOf({ data: parcelData({ phase }) })).toBe(name);
  });

  it('is another one in every phase', () => {
    expect(new Set(parcelEventPhases.map((phase) => metricOf({ data: parcelData({ phase }) }))).size).toBe(18);
  });

  it('stays the phase’s when there is an exception, which the properties show', () => {
    const data = parcelData({
      phase: 'in_transit',
      exception: 'delivery_delay',
      status_type: 'warning',
      sub_status: 'weather_conditions',
    });
    expect(metricOf({ data })).toBe('Parcel In Transit');
    expect(attributesOf({ data }).properties).toMatchObject({
      HasException: true,
      Exception: 'delivery_delay',
      ExceptionName: 'Delivery Delay',
      Status: 'warning',
      SubStatus: 'weather_conditions',
    });
  });

  it.each(['flying', 'constructor', null, 7, { toString: 1 }])(
    'of a phase that does not exist (%j) says that the status is unknown',
    (phase) => {
      expect(metricOf({ data: { event: { phase } } })).toBe('Parcel Status Unknown');
    },
  );
});

describe('The properties of a parcel event', () => {
  const propertiesOf = (event: Parameters<typeof parcelData>[0]) => attributesOf({ data: parcelData(event) }).properties;

  it.each(parcelEventExceptions)('say whether exception %s is one', (exception) => {
    const { HasException, Exception, ExceptionName } = propertiesOf({ exception });
    expect(HasException).toBe(exception !== 'none');
    expect(Exception).toBe(exception);
    expect(typeof ExceptionName).toBe(exception === 'none' ? 'undefined' : 'string');
  });

  it('always say whether it is a return and whether tracking ended, so that a filter "is false" works', () => {
    expect(propertiesOf({ is_returned: null, end_of_tracking: undefined })).toMatchObject({
      IsReturn: false,
      EndOfTracking: false,
    });
    expect(propertiesOf({ is_returned: true, end_of_tracking: true })).toMatchObject({ IsReturn: true, EndOfTracking: true });
  });

  it('leave out what the carrier does not report', () => {
    const properties = propertiesOf({
      description: null,
      is_offered: null,
      is_carrier_responsible: null,
      location_details: null,
    });
    for (const name of ['Description', 'IsOffered', 'IsCarrierResponsible', 'City', 'Country', 'Depot'])
      expect(properties).not.toHaveProperty(name);
  });

  it('have the whole location, and ids as text', () => {
    const location_details = {
      city: 'Eindhoven',
      country: 'NL',
      house_number: '10',
      postal_code: '5611 EM',
      street: 'Stadhuisplein',
      service_point_id: 10_659_231,
      depot: 'East',
    };
    expect(propertiesOf({ location_details })).toMatchObject({
      City: 'Eindhoven',
      Country: 'NL',
      HouseNumber: '10',
      PostalCode: '5611 EM',
      Street: 'Stadhuisplein',
      ServicePointId: '10659231',
      Depot: 'East',
    });
  });

  it('have one level of extra_data, with a prefix that keeps it apart', () => {
    const extra_data = {
      pickup_code: '8812',
      'estimated-delivery': '2026-03-10',
      weights: [1, 2],
      signee: { name: 'B' },
      phase: 'x',
      empty: '',
    };
    const properties = propertiesOf({ extra_data });
    expect(properties).toMatchObject({
      ExtraPickupCode: '8812',
      ExtraEstimatedDelivery: '2026-03-10',
      ExtraWeights: '1, 2',
      ExtraPhase: 'x',
    });
    expect(properties.Phase).toBe('in_transit');
    expect(Object.keys(properties).filter((name) => name.startsWith('ExtraSignee') || name === 'ExtraEmpty')).toEqual([]);
  });

  it('have at most 50 fields of extra_data', () => {
    const extra_data = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`field_${index}`, index]));
    expect(Object.keys(propertiesOf({ extra_data })).filter((name) => name.startsWith('Extra'))).toHaveLength(50);
  });
});
