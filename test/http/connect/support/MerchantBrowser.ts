import { setTimeout as sleep } from 'node:timers/promises';
import { readable } from '../../../support/openCallback.js';

export interface SeenPage {
  readonly status: number;
  readonly headers: Headers;
  readonly markup: string;
  /** The text that a person reads. */
  readonly text: string;
}

/** Handles cookies and redirects as a browser does, so that each redirect can be inspected. */
export class MerchantBrowser {
  readonly cookies = new Map<string, string>();

  /** `home` is the server's address, `publicUrl` the origin that requests claim. */
  constructor(
    private readonly home: string,
    private readonly headers: Record<string, string> = {},
    private readonly publicUrl = home,
  ) {}

  async open(url: string | URL, init: RequestInit = {}): Promise<SeenPage> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(new URL(url, this.home), {
      redirect: 'manual',
      ...init,
      headers: { ...this.headers, ...(cookie ? { cookie } : {}), ...(init.headers as Record<string, string>) },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const markup = await response.text();
    const refresh = response.headers.get('refresh');
    if (refresh !== null) {
      await sleep(Number(refresh) * 1_000);
      return this.open(url, init);
    }
    return { status: response.status, headers: response.headers, markup, text: readable(markup) };
  }

  /** Presses the button of a page that was opened before. */
  press(page: SeenPage, headers: Record<string, string> = {}): Promise<SeenPage> {
    const fields = [...page.markup.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)];
    const body = new URLSearchParams(Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value])));
    const own = { origin: this.publicUrl, 'sec-fetch-site': 'same-origin' };
    return this.open('/connect', { method: 'POST', body, headers: { ...own, ...headers } });
  }

  /** Opens a link and follows its redirects. */
  async follow(link: string): Promise<SeenPage> {
    const first = await this.open(link);
    return this.open(first.headers.get('location') as string);
  }
}
