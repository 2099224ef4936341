/** Returns how much a sequence deviates from counting up from 0. */
export function disorder(numbers: readonly number[]): { late: number; furthest: number } {
  let highest = -1;
  let late = 0;
  let furthest = 0;
  for (const [place, number] of numbers.entries()) {
    if (number < highest) late += 1;
    highest = Math.max(highest, number);
    furthest = Math.max(furthest, Math.abs(number - place));
  }
  return { late, furthest };
}
