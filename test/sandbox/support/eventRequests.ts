type Fields = Record<string, unknown>;

export const eventAttributes = (changes: Fields = {}): Fields => ({
  properties: { carrier: 'PostNL' },
  time: '2026-08-01T11:59:00Z',
  unique_id: 'delivery-1',
  metric: { data: { type: 'metric', attributes: { name: 'Parcel Delivered' } } },
  profile: profile({ email: 'a@example.com' }),
  ...changes,
});

export const profile = (attributes: Fields, id?: string) => ({ data: { type: 'profile', id, attributes } });
export const metric = (name: unknown) => ({ data: { type: 'metric', attributes: { name } } });

export const eventBody = (changes: Fields = {}) => ({ data: { type: 'event', attributes: eventAttributes(changes) } });

/** Builds a bulk job of one profile for each list of events. */
export const bulkBody = (...profiles: { email: string; events: Fields[] }[]) => ({
  data: {
    type: 'event-bulk-create-job',
    attributes: {
      'events-bulk-create': {
        data: profiles.map(({ email, events }) => ({
          type: 'event-bulk-create',
          attributes: {
            profile: profile({ email }),
            events: {
              data: events.map((changes) => {
                const { profile: _, ...attributes } = eventAttributes(changes);
                return { type: 'event', attributes };
              }),
            },
          },
        })),
      },
    },
  },
});

/** Sends a body to the API. A string is sent unchanged. */
export const post = (base: string, path: string, token: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${base}/klaviyo/api/${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      revision: '2026-07-15',
      'content-type': 'application/vnd.api+json',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

/** Returns the pointers of a response's errors. */
export async function pointers(response: Response): Promise<string[]> {
  const { errors } = (await response.json()) as { errors: { source: { pointer: string } }[] };
  return errors.map((error) => error.source.pointer);
}
