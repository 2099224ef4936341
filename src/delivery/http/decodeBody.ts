/**
 * The text of a response body: UTF-8 with undecodable bytes replaced, and without NUL, which PostgreSQL's text cannot hold.
 *
 * @param cut the bytes stop short of the end: a character cut in two at the end is dropped, not replaced.
 */
export function decodeBody(bytes: Buffer, cut: boolean): string {
  const text = cut ? new TextDecoder().decode(bytes, { stream: true }) : bytes.toString('utf8');
  return text.includes('\0') ? text.replaceAll('\0', '') : text;
}
