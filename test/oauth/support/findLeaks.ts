/** Long enough to be found by accident never; short enough to find a secret that was cut off. */
const RECOGNIZABLE = 20;

/** Which of the secrets (by name) a text holds: whole, cut off, in base64 or percent-encoded. */
export function findLeaks(text: string, secrets: ReadonlyMap<string, string>): string[] {
  return [...secrets]
    .filter(([, secret]) =>
      [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')].some((form) =>
        text.includes(form.slice(0, RECOGNIZABLE)),
      ),
    )
    .map(([name]) => name);
}
