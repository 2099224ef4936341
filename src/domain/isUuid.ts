/** Whether a public id has the form of a UUID (RFC 9562 4). Anything else can't be one of ours, and Postgres would refuse it. */
export function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
}
