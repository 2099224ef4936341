/** One cookie for each attempt, so that two tabs don't take each other's. */
export function browserBindingCookie(authorizationId: string): string {
  return `switchboard_authorization_${authorizationId}`;
}

/** Sent back to our callback only, also when the browser comes from the provider's site (SameSite=Lax, RFC 6265bis 5.6.7). */
export function browserBindingOptions(publicUrl: string, expires: Date) {
  return { path: '/oauth', httpOnly: true, sameSite: 'lax', secure: publicUrl.startsWith('https:'), expires } as const;
}
