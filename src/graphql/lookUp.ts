import { SwitchboardError } from '../domain/errors.js';

/** An object is named by its id, or by its externalId, which is the id in the caller's own system. */
interface Name {
  readonly id?: string | null;
  readonly externalId?: string | null;
}

/** Finds an object by its id or its externalId. Throws BAD_USER_INPUT unless exactly one is given. */
export function lookUp<T>(
  { id, externalId }: Name,
  byId: (id: string) => Promise<T>,
  byExternalId: (externalId: string) => Promise<T>,
): Promise<T> {
  if (typeof id === 'string' && typeof externalId !== 'string') return byId(id);
  if (typeof externalId === 'string' && typeof id !== 'string') return byExternalId(externalId);
  throw new SwitchboardError('BAD_USER_INPUT', 'Give exactly one of "id" and "externalId".');
}
