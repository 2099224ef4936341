const MAX_LENGTH = 100;

/**
 * `['connection', 'status_reason']` as `ConnectionStatusReason`: letters and digits only, so that a Klaviyo template can
 * say `{{ event.ConnectionStatusReason }}`, and never a `$`, which begins the names that Klaviyo keeps to itself.
 * Empty when no letter or digit is left.
 */
export function propertyName(path: readonly string[]): string {
  const name = path
    .flatMap((key) => key.slice(0, MAX_LENGTH).split(/[^\p{L}\p{N}]+/u))
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
  return name.slice(0, MAX_LENGTH).toWellFormed();
}
