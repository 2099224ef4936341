import type { ValidateFunction } from 'ajv';
import type { Problem } from '../../domain/InputError.js';
import { createSchemaCompiler } from './createSchemaCompiler.js';
import type { EventTypeDefinition } from './eventTypeDefinition.js';
import { toProblem } from './toProblem.js';

/** More would not help anyone to mend their data, and would let a bad call produce a huge answer. */
const MAX_PROBLEMS = 20;

const NAME = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/;

/** The event types that exist, and what their data must look like. */
export interface EventTypeRegistry {
  /** All of them, internal ones too, in the order in which they were defined. */
  list(): readonly EventTypeDefinition[];
  get(name: string): EventTypeDefinition | undefined;
  /**
   * What is wrong with an event's data: empty when nothing is, at most 20 entries.
   * @throws RangeError for a name that is not in the registry; ask `get` first.
   */
  validate(name: string, data: unknown): Problem[];
}

/** @throws Error when two definitions share a name, or a name isn't dotted lower case. */
export function createEventTypeRegistry(definitions: readonly EventTypeDefinition[]): EventTypeRegistry {
  const byName = new Map<string, EventTypeDefinition>();
  for (const definition of definitions) {
    if (!NAME.test(definition.name))
      throw new Error(`Event type "${definition.name}" must be named like "parcels.event.created".`);
    if (byName.has(definition.name)) throw new Error(`Event type "${definition.name}" is defined twice.`);
    byName.set(definition.name, definition);
  }
  const all = Object.freeze([...byName.values()]);

  // Compiling takes milliseconds, validating takes microseconds: each schema is compiled at its first use and kept.
  const compile = createSchemaCompiler();
  const compiled = new Map<string, ValidateFunction>();
  const validatorOf = (name: string): ValidateFunction => {
    const known = compiled.get(name);
    if (known) return known;
    const definition = byName.get(name);
    if (!definition) throw new RangeError(`There is no event type "${name}".`);
    const validator = compile(definition.schema);
    compiled.set(name, validator);
    return validator;
  };

  return {
    list: () => all,
    get: (name) => byName.get(name),
    validate(name, data) {
      const validator = validatorOf(name);
      if (validator(data)) return [];
      return (validator.errors ?? []).slice(0, MAX_PROBLEMS).map(toProblem);
    },
  };
}
