/**
 * Returns whether a public id has the form of a UUID (RFC 9562 4). Any other text cannot be an id of ours, and Postgres would
 * reject it.
 */
export function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
}

/**
 * Parses a public id (decimal digits, 1 to 2^53-1). Returns null for anything else, so that a malformed id gives the same "not
 * found" as one of another organization.
 */
export function parseId(id: string | number): number | null {
  const text = String(id);
  if (!/^[1-9]\d{0,15}$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}
