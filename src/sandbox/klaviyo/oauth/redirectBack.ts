/** The app's address with an answer in its query (RFC 6749, 4.1.2). A query of its own is kept; empty values are left out. */
export function redirectBack(redirectUri: string, answer: Record<string, string>): string {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(answer)) if (value) url.searchParams.append(name, value);
  return url.href;
}
