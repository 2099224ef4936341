/** Returns about 1 kB of JSON, the size of a parcel event. `sentAt` is in milliseconds since 1970, for latencies. */
export function samplePayload(sentAt?: number): string {
  return JSON.stringify({
    ...(sentAt === undefined ? {} : { sentAt }),
    parcel: {
      id: 384_719_201,
      tracking_number: '3SYZXG192837465',
      tracking_url: 'https://tracking.example.com/forward?carrier=postnl&code=3SYZXG192837465',
      carrier: { code: 'postnl', name: 'PostNL' },
      status: { id: 11, code: 'delivered', message: 'Delivered' },
      order_number: 'ORD-2026-000123',
      weight: '1.250',
    },
    address: {
      name: 'Jo van den Berg',
      company_name: 'Berg & Zn.',
      address_line_1: 'Stadhuisplein 10',
      house_number: '10',
      postal_code: '5611 EM',
      city: 'Eindhoven',
      country_code: 'NL',
      email: 'jo@example.com',
      phone_number: '+31600000000',
    },
    items: [
      { sku: 'TSHIRT-XL', description: 'T-shirt, extra large', quantity: 2, price: { value: '19.95', currency: 'EUR' } },
      { sku: 'MUG-01', description: 'Mug', quantity: 1, price: { value: '8.50', currency: 'EUR' } },
    ],
    timestamp: '2026-03-09T09:15:02.123Z',
  });
}
