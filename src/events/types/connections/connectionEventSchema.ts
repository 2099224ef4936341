import type { JsonSchema } from '../eventTypeDefinition.js';

const connection = {
  type: 'object',
  description: 'The connection, as it was right after.',
  required: ['id', 'type', 'name', 'status', 'status_reason'],
  properties: {
    id: { type: 'string', minLength: 1, description: 'Its id in the API.' },
    // Not a closed list: a new connection type must not make this schema wrong.
    type: { type: 'string', minLength: 1, description: 'What it links to, such as webhook or klaviyo.' },
    name: { type: ['string', 'null'], description: 'The name it was given, if any.' },
    status: {
      type: 'string',
      enum: ['pending_authorization', 'active', 'reauthorization_required', 'disabled'],
      description: 'Whether events are delivered (active), or why they are not.',
    },
    status_reason: { type: ['string', 'null'], description: 'Why it is in this status, for a person to read.' },
  },
};

/** The schema of a `connections.*` event: what they all have, and fields of its own with those among them that are required. */
export function connectionEventSchema(description: string, own: { properties: JsonSchema; required: string[] }): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    description,
    type: 'object',
    required: ['connection', 'occurred_at', ...own.required],
    properties: {
      connection,
      occurred_at: { type: 'string', format: 'date-time', description: 'When it happened.' },
      ...own.properties,
    },
  };
}
