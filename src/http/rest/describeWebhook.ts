import type { EventTypeDefinition } from '../../events/types/eventTypeDefinition.js';

const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
});

/** What a webhook receives for an event type (OpenAPI 3.1 `webhooks`, Standard Webhooks). */
export function describeWebhook({ name, description, schema, sample }: EventTypeDefinition): object {
  return {
    post: {
      operationId: name.replaceAll('.', '_'),
      summary: name,
      description: `${description} Delivered to connections that subscribe to \`${name}\`, at least once.`,
      tags: ['Events'],
      security: [],
      parameters: [
        header('webhook-id', 'The delivery; the same at every attempt, so that a repeat can be told.'),
        header('webhook-timestamp', 'When this attempt was made, in seconds since 1970 UTC.'),
        header(
          'webhook-signature',
          '`v1,` and the base64 of an HMAC-SHA256; after a rotation two of them, with a space between.',
        ),
      ],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['event_type', 'data'],
              properties: { event_type: { type: 'string', const: name }, data: schema },
            },
            examples: { sample: { value: { event_type: name, data: sample } } },
          },
        },
      },
      responses: {
        '2XX': { description: 'It arrived. Any other answer is tried again, but 410, which disables the connection.' },
      },
    },
  };
}
