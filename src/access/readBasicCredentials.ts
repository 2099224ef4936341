export interface BasicCredentials {
  readonly publicKey: string;
  readonly secret: string;
}

/** Reads `Authorization: Basic` (RFC 7617 2); null when it is not that. */
export function readBasicCredentials(header: string): BasicCredentials | null {
  const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header)?.[1];
  if (encoded === undefined) return null;
  const [publicKey = '', secret = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(/:(.*)/s);
  return { publicKey, secret };
}
