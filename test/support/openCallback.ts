import { setTimeout as sleep } from 'node:timers/promises';

export interface CallbackAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly markup: string;
  /** The text that a person reads: the markup without tags and escapes. */
  readonly text: string;
}

/**
 * Opens the callback as the merchant's browser does, and reloads it while the page asks for that. Does not follow redirects.
 */
export async function openCallback(url: URL | string, init: RequestInit = {}): Promise<CallbackAnswer> {
  const answer = await openCallbackOnce(url, init);
  const refresh = answer.headers.get('refresh');
  if (refresh === null) return answer;
  await sleep(Number(refresh) * 1_000);
  return openCallback(url, init);
}

/** Returns the first response, which may be the page of a running exchange. */
export async function openCallbackOnce(url: URL | string, init: RequestInit = {}): Promise<CallbackAnswer> {
  const { status, headers, markup } = await fetch(url, { redirect: 'manual', ...init }).then(async (response) => ({
    status: response.status,
    headers: response.headers,
    markup: await response.text(),
  }));
  return { status, headers, markup, text: readable(markup) };
}

/** Returns the URL with other parameters: undefined removes one, a list repeats it. */
export function withParameters(url: URL, changes: Record<string, string | readonly string[] | undefined>): URL {
  const changed = new URL(url);
  for (const [name, value] of Object.entries(changes)) {
    changed.searchParams.delete(name);
    for (const one of value === undefined ? [] : [value].flat()) changed.searchParams.append(name, one);
  }
  return changed;
}

/** Returns the text that a person reads in markup. */
export function readable(markup: string): string {
  return markup
    .replace(/<(style|script)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .trim();
}
