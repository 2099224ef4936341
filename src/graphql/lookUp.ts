import { SwitchboardError } from '../domain/errors.js';

/** A thing is named by our id or by the one that the caller's own system has for it. */
interface Name {
  readonly id?: string | null;
  readonly externalId?: string | null;
}

/** Finds a thing by whichever of the two names is given. Throws BAD_USER_INPUT for none, and for both. */
export function lookUp<T>(
  { id, externalId }: Name,
  byId: (id: string) => Promise<T>,
  byExternalId: (externalId: string) => Promise<T>,
): Promise<T> {
  if (typeof id === 'string' && typeof externalId !== 'string') return byId(id);
  if (typeof externalId === 'string' && typeof id !== 'string') return byExternalId(externalId);
  throw new SwitchboardError('BAD_USER_INPUT', 'Give exactly one of "id" and "externalId".');
}
