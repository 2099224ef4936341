interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly format?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: unknown;
  readonly [keyword: string]: unknown;
}
interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required?: boolean;
  readonly schema: Schema;
}
type Content = Readonly<Record<string, { readonly schema: Schema }>>;
interface Operation {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Record<string, readonly string[]>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}
export interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Record<string, unknown>>>;
  readonly webhooks: Readonly<Record<string, Record<string, unknown>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly securitySchemes: Readonly<
      Record<string, { type: string; scheme?: string; flows?: Record<string, { scopes: object }> }>
    >;
  };
}

const METHODS = ['get', 'post', 'patch', 'put', 'delete'];
const BOUNDS = ['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxProperties', 'pattern', 'propertyNames'];

/** Returns what a program can read in an OpenAPI document, without prose and examples: one line for each place. */
export function factsOf(document: OpenApi): Record<string, string> {
  const facts: Record<string, string> = {
    openapi: document.openapi,
    version: document.info.version,
    tags: document.tags.map(({ name }) => name).join(', '),
  };
  const operations = (place: string, item: Record<string, unknown>): void => {
    for (const method of METHODS.filter((name) => item[name])) {
      const operation = item[method] as Operation;
      const shared = (item.parameters ?? []) as Parameter[];
      addOperation(facts, `${method.toUpperCase()} ${place}`, operation, [...shared, ...(operation.parameters ?? [])]);
    }
  };
  for (const [path, item] of Object.entries(document.paths)) operations(path, item);
  for (const [name, item] of Object.entries(document.webhooks)) operations(`webhook ${name}`, item);
  for (const [name, schema] of Object.entries(document.components.schemas)) addSchema(facts, name, schema, false);
  for (const [name, { type, scheme, flows }] of Object.entries(document.components.securitySchemes)) {
    const named = Object.entries(flows ?? {}).map(([flow, { scopes }]) => `${flow} (${Object.keys(scopes)})`);
    facts[`security ${name}`] = [type, scheme, ...named].filter(Boolean).join(' ');
  }
  return facts;
}

function addOperation(
  facts: Record<string, string>,
  place: string,
  { operationId, tags = [], security = [], requestBody, responses }: Operation,
  parameters: readonly Parameter[],
): void {
  const ways = security.map((way) => Object.entries(way).map(([name, scopes]) => `${name}(${scopes})`));
  facts[place] = [operationId, tags, ways.join(' or ') || 'open'].join('; ');
  for (const { in: where, name, required, schema } of parameters) {
    facts[`${place} ${where} ${name}`] = `${required ? 'required ' : ''}${lineOf(schema)}`;
  }
  if (requestBody) facts[`${place} body`] = contentOf(requestBody.content);
  for (const [status, { content }] of Object.entries(responses)) facts[`${place} ${status}`] = content ? contentOf(content) : '-';
}

function contentOf(content: Content): string {
  return Object.entries(content)
    .map(
      ([type, { schema }]) => `${type} ${schema.properties?.data ? `data: ${lineOf(schema.properties.data)}` : lineOf(schema)}`,
    )
    .join(', ');
}

function addSchema(facts: Record<string, string>, place: string, schema: Schema, required: boolean): void {
  facts[place] = `${required ? 'required ' : ''}${lineOf(schema)}`;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    addSchema(facts, `${place}.${name}`, property, schema.required?.includes(name) ?? false);
  }
  if (schema.items && !schema.items.$ref) addSchema(facts, `${place}[]`, schema.items, false);
}

function lineOf(schema: Schema): string {
  if (schema.$ref) return schema.$ref.replace('#/components/schemas/', '=> ');
  const { type, format, items, additionalProperties } = schema;
  const closed = additionalProperties === false ? 'closed' : additionalProperties ? 'map' : '';
  const alternatives = ['oneOf', 'anyOf', 'allOf'].flatMap((keyword) => {
    const variants = schema[keyword] as Schema[] | undefined;
    return variants ? [`${keyword} (${variants.map((variant) => lineOf(variant)).join(' | ')})`] : [];
  });
  // The fields that a variant requires, when the variant itself lists none.
  const wants = !schema.properties && schema.required ? `with ${schema.required}` : '';
  return [
    [type ?? []].flat().join('|'),
    ...[format, closed, wants, items?.$ref && lineOf(items)],
    ...(schema.enum ? [`one of ${schema.enum.join(' ')}`] : []),
    ...(schema.const === undefined ? [] : [`const ${schema.const}`]),
    ...(schema.default === undefined ? [] : [`default ${schema.default}`]),
    ...BOUNDS.filter((bound) => schema[bound] !== undefined).map((bound) => `${bound} ${JSON.stringify(schema[bound])}`),
    ...alternatives,
  ]
    .filter(Boolean)
    .join(' ');
}
