import type { JsonApiError } from '../errors/jsonApiError.js';

/** A request that can't be done as it is: everything that is wrong with it, in JSON:API's form. Status 400. */
export class InvalidRequest extends Error {
  readonly statusCode = 400;

  constructor(readonly errors: readonly JsonApiError[]) {
    super(errors.map(({ detail }) => detail).join(' '));
    this.name = 'InvalidRequest';
  }
}
