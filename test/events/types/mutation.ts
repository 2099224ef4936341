/** Returns the path to every field of an object, outer ones first. */
export function allPaths(value: object, prefix: string[] = []): string[][] {
  return Object.entries(value).flatMap(([key, field]) => {
    const path = [...prefix, key];
    return field !== null && typeof field === 'object' ? [path, ...allPaths(field, path)] : [path];
  });
}

/** Returns a copy with another value at a path whose parent exists. */
export function withValue(source: object, path: readonly string[], value: unknown): object {
  const copy = structuredClone(source);
  parentOf(copy, path)[path.at(-1) as string] = value;
  return copy;
}

/** Returns a copy without the field at a path. */
export function without(source: object, path: readonly string[]): object {
  const copy = structuredClone(source);
  delete parentOf(copy, path)[path.at(-1) as string];
  return copy;
}

function parentOf(source: object, path: readonly string[]): Record<string, unknown> {
  return path.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, source as Record<string, unknown>);
}
