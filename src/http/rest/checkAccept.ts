import { SwitchboardError } from '../../domain/SwitchboardError.js';

const JSON_TYPES = ['application/json', 'application/*', '*/*'];

/** Throws NOT_ACCEPTABLE when an Accept header (RFC 9110 12.5.1) excludes JSON; without one, anything is fine. */
export function checkAccept(accept: string | undefined): void {
  if (accept === undefined || accept.trim() === '') return;
  const acceptable = accept.split(',').some((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    return JSON_TYPES.includes(type) && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
  if (!acceptable)
    throw new SwitchboardError('NOT_ACCEPTABLE', 'Answers are application/json, which your Accept header excludes.');
}
