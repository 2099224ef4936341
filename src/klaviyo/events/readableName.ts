const WORDS: Readonly<Record<string, string>> = { pup: 'Pickup Point' };

/** `in_transit` as `In Transit`, `connections.disabled` as `Connections Disabled`. */
export function readableName(code: string): string {
  return code
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .map((word) => (Object.hasOwn(WORDS, word) ? WORDS[word] : word.charAt(0).toUpperCase() + word.slice(1)))
    .join(' ');
}
