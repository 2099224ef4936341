import { setTimeout as sleep } from 'node:timers/promises';

export interface CallbackAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly markup: string;
  /** What a person reads: the markup without its tags and escapes. */
  readonly text: string;
}

/** Opens the callback as the merchant's browser does, again as long as the page wants that, without following where it leads. */
export async function openCallback(url: URL | string, init: RequestInit = {}): Promise<CallbackAnswer> {
  const answer = await openCallbackOnce(url, init);
  const refresh = answer.headers.get('refresh');
  if (refresh === null) return answer;
  await sleep(Number(refresh) * 1_000);
  return openCallback(url, init);
}

/** The first answer, which may be that there is none yet. */
export async function openCallbackOnce(url: URL | string, init: RequestInit = {}): Promise<CallbackAnswer> {
  const { status, headers, markup } = await fetch(url, { redirect: 'manual', ...init }).then(async (response) => ({
    status: response.status,
    headers: response.headers,
    markup: await response.text(),
  }));
  return { status, headers, markup, text: readable(markup) };
}

/** The same URL with other parameters: undefined takes one away, a list gives it several times. */
export function withParameters(url: URL, changes: Record<string, string | readonly string[] | undefined>): URL {
  const changed = new URL(url);
  for (const [name, value] of Object.entries(changes)) {
    changed.searchParams.delete(name);
    for (const one of value === undefined ? [] : [value].flat()) changed.searchParams.append(name, one);
  }
  return changed;
}

/** What a person reads of markup. */
export function readable(markup: string): string {
  return markup
    .replace(/<(style|script)[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .trim();
}
