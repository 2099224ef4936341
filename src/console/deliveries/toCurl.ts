/** Returns the request of a webhook delivery as a command line, without the signature, which nobody but the server can make. */
export function toCurl(url: string, deliveryId: string, eventType: string, data: object): string {
  const body = JSON.stringify({ event_type: eventType, data });
  return [
    `curl -X POST ${quote(url)}`,
    `-H 'content-type: application/json'`,
    `-H ${quote(`webhook-id: ${deliveryId}`)}`,
    `-d ${quote(body)}`,
  ].join(' \\\n  ');
}

/** One word of a POSIX shell (POSIX 2.2.2). */
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
