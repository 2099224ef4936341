import { SwitchboardError } from '../../domain/SwitchboardError.js';

/** A lone asterisk is no media range, but clients send it, and mean anything. */
const JSON_TYPES = ['application/json', 'application/*', '*/*', '*'];
const JSON_API_TYPE = 'application/vnd.api+json';

/** Throws NOT_ACCEPTABLE when an Accept header (RFC 9110 12.5.1) excludes both types of JSON; without one, anything is fine. */
export function checkAccept(accept: string | undefined): void {
  if (accept === undefined || /^[\s,]*$/.test(accept)) return;
  if (accepts(accept, [...JSON_TYPES, JSON_API_TYPE])) return;
  throw new SwitchboardError('NOT_ACCEPTABLE', 'Answers are application/json, which your Accept header excludes.');
}

/** The type of an answer: JSON:API's own for whoever takes nothing else of JSON. */
export function answerType(accept: string | undefined): string {
  const asked = accept !== undefined && accepts(accept, [JSON_API_TYPE]) && !accepts(accept, JSON_TYPES);
  return asked ? JSON_API_TYPE : 'application/json; charset=utf-8';
}

function accepts(accept: string, types: readonly string[]): boolean {
  return accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return types.includes(type) && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}
