export type Complain = (detail: string, place: string) => void;

/** Properties of an event, and of a profile, as Klaviyo's reference has it; its older guides say 300. */
export const MOST_PROPERTIES = 400;
const MOST_STRING_BYTES = 100_000;
// Ours, not Klaviyo's: what is stored has to survive JSON.stringify.
const DEEPEST = 100;

/** Refuses strings and nesting beyond what Klaviyo, or the sandbox, takes. */
export function checkStrings(value: unknown, place: string, complain: Complain, depth = 0): void {
  if (typeof value === 'string') {
    // A UTF-16 unit takes at most three bytes of UTF-8, so most strings need no counting.
    if (value.length * 3 > MOST_STRING_BYTES && Buffer.byteLength(value) > MOST_STRING_BYTES) {
      complain(`A string may have ${MOST_STRING_BYTES} bytes.`, place);
    }
  } else if (typeof value === 'object' && value !== null) {
    if (depth > DEEPEST) complain('This is nested too deeply.', place);
    else for (const [name, member] of Object.entries(value)) checkStrings(member, `${place}/${name}`, complain, depth + 1);
  }
}
