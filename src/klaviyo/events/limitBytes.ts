const encoder = new TextEncoder();

/** The longest beginning of a text that takes at most so many bytes in UTF-8; never half a character. */
export function limitBytes(text: string, maxBytes: number): string {
  // No UTF-16 unit takes more than three bytes: nearly every text is told by its length.
  if (text.length * 3 <= maxBytes) return text;
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(maxBytes)).read);
}
