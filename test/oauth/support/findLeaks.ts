/** Long enough never to match by chance, short enough to find a secret that was cut off. */
const RECOGNIZABLE = 20;

/** Returns the names of the secrets that a text contains: whole, cut off, in base64 or percent-encoded. */
export function findLeaks(text: string, secrets: ReadonlyMap<string, string>): string[] {
  return [...secrets]
    .filter(([, secret]) =>
      [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')].some((form) =>
        text.includes(form.slice(0, RECOGNIZABLE)),
      ),
    )
    .map(([name]) => name);
}
