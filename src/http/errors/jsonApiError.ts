import { callErrors, type JsonApiCode } from '../../domain/errorCatalogue.js';
import type { CallError } from '../../graphql/errors/toCallError.js';

/** OpenAPI ErrorObject. */
export interface JsonApiError {
  readonly id?: string;
  readonly status: string;
  readonly code: JsonApiCode;
  readonly detail: string;
  readonly source?: { readonly pointer?: string; readonly parameter?: string; readonly header?: string };
}

/** A failure of a call in JSON:API's form. */
export function jsonApiError({ error, id }: CallError): JsonApiError {
  const { parameter, header } = error.facts;
  return {
    ...(id ? { id } : {}),
    status: String(error.status),
    code: callErrors[error.code].jsonApi,
    detail: error.message,
    ...(parameter ? { source: { parameter } } : header ? { source: { header } } : {}),
  };
}
