/** A JSON pointer (RFC 6901) to a part of a body. Existing clients know bodies as being below `/data`. */
export function bodyPointer(path: readonly string[]): string {
  return ['', 'data', ...path].map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
}
