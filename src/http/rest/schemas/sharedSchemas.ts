/** The schema of an id in a body: our ids grow from 1 and stay exact in JavaScript. */
export const idSchema = { type: 'integer', format: 'int64', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const;

/** The path parameters of an operation on one thing. Not validated: a malformed id is the same "not found" as a foreign one. */
export const idParams = (name: string, description: string) => ({
  type: 'object',
  required: [name],
  properties: { [name]: { type: 'integer', description } },
});

/** A successful answer `{ data: … }`. */
export const dataResponse = (description: string, data: object) => ({
  description,
  content: {
    'application/json': { schema: { type: 'object', required: ['data'], additionalProperties: false, properties: { data } } },
  },
});

export const listOf = (name: string) => ({ type: 'array', items: ref(name) });

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
