/** Whether a public id has the form of a UUID (RFC 9562 4). Anything else can't be one of ours, and Postgres would refuse it. */
export function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
}

/** Reads a public id (decimal digits, 1 to 2^53-1). Anything else is null, so a malformed id is the same "not found" as a foreign one. */
export function parseId(id: string | number): number | null {
  const text = String(id);
  if (!/^[1-9]\d{0,15}$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}
