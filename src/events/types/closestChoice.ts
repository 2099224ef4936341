/** The allowed text that a typing error or another spelling most likely stood for; undefined when none is near. */
export function closestChoice(given: string, allowed: readonly unknown[]): string | undefined {
  // Distance takes time with the product of the lengths, and `given` comes from outside.
  if (given.length > 64) return undefined;
  const wanted = normalize(given);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const choice of allowed) {
    if (typeof choice !== 'string') continue;
    const distance = editDistance(wanted, normalize(choice));
    if (distance < bestDistance) {
      best = choice;
      bestDistance = distance;
    }
  }
  return best;
}

/** `In-Transit`, `IN TRANSIT` and `in_transit` are one intention. */
function normalize(text: string): string {
  return text.toLowerCase().replaceAll(/[\s-]+/g, '_');
}

/** Levenshtein's: the fewest insertions, deletions and replacements of a character. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] as number) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] as number) + 1, (current[column - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}
