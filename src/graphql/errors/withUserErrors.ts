import { InputError } from '../../domain/InputError.js';
import type { UserErrorObject } from './UserError.js';

export type Payload<T> = Partial<T> & { readonly userErrors: readonly UserErrorObject[] };

/** Answers a mutation: its result, or what is wrong with the input. Every other error goes on its way. */
export async function withUserErrors<T extends object>(work: () => Promise<T>): Promise<Payload<T>> {
  try {
    return { ...(await work()), userErrors: [] };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { userErrors: error.problems } as unknown as Payload<T>;
  }
}
