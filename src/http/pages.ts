import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Markup that can be put into a page without escaping. */
export class Html {
  constructor(readonly markup: string) {}
}

/** Builds markup. Values are escaped unless they are markup themselves. Null and undefined become empty. */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return new Html(strings.reduce((text, part, index) => text + render(values[index - 1]) + part));
}

function render(value: unknown): string {
  if (value instanceof Html) return value.markup;
  return value === null || value === undefined
    ? ''
    : String(value).replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}

/** The style of all our pages: one column, the system's font, light and dark, from 320 pixels of width. */
const style = `
:root { color-scheme: light dark; --ink: #16202c; --quiet: #5a6775; --paper: #fff; --ground: #f2f4f7; --good: #147a4b; --bad: #b3261e; --wait: #8a5a00; --link: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf3; --quiet: #9aa7b5; --paper: #1b232d; --ground: #10161d; --good: #5fd39a; --bad: #ff8a80; --wait: #f2c063; --link: #8ab8ff; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.25rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 30rem; padding: 2rem 1.75rem; border-radius: 1rem; background: var(--paper); box-shadow: 0 1px 3px #0002, 0 8px 32px #0001; }
.mark { width: 3rem; height: 3rem; border-radius: 50%; display: grid; place-items: center; font-size: 1.5rem; font-weight: 700; border: 2px solid currentColor; }
.good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); }
h2 { margin: 1rem 0 .25rem; font-size: 1rem; }
h1 { margin: 1rem 0 .5rem; font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); font-size: .9rem; }
code { font-size: .85em; }
.button { display: inline-block; margin-top: 1rem; padding: .65rem 1.25rem; border: 0; border-radius: .5rem; background: var(--link); color: var(--paper); font: inherit; font-weight: 600; text-decoration: none; cursor: pointer; }
.button + .plain { margin-left: 1rem; }
a.plain { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.logo { display: block; max-width: 10rem; max-height: 3rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 1rem 0; padding: .75rem 1rem; border-radius: .5rem; background: var(--ground); }
dt { color: var(--quiet); } dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
ul { margin: .5rem 0; padding-left: 1.25rem; }
.care { padding-left: .75rem; border-left: 3px solid var(--wait); }
.sandbox { margin: -2rem -1.75rem 1.5rem; padding: .5rem 1.75rem; border-radius: 1rem 1rem 0 0; background: #ffd84d; color: #3b2f00; font-size: .85rem; font-weight: 600; }
`;

interface Page {
  readonly status: number;
  readonly title: string;
  readonly body: Html;
  /** An inline script, if the page needs one. The policy allows exactly this text. */
  readonly script?: string;
  /** Seconds after which the browser reloads the page. */
  readonly refreshSeconds?: number;
  /** The language of its texts (BCP 47). English by default. */
  readonly language?: string;
  /** Sources (CSP 3, 2.3.1) to which its forms may lead, redirects included. None by default. */
  readonly formTargets?: readonly string[];
  /** Whether the page contains an image as a data: URL. */
  readonly hasImage?: boolean;
  /** `same-origin` when its forms must send their origin: a page without a referrer sends `Origin: null` (Fetch 3.2). */
  readonly referrerPolicy?: 'no-referrer' | 'same-origin';
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const STYLE_HASH = hashOf(style);

/**
 * Sends a page that is not cached, loads nothing, sends no referrer (its URL may contain a code), and cannot be framed. It
 * has no Cross-Origin-Opener-Policy, because a pop-up must be able to reach its opener.
 */
export function sendPage(reply: FastifyReply, page: Page): FastifyReply {
  const { status, title, body, script, refreshSeconds, language = 'en', formTargets = [], hasImage = false } = page;
  const policy = [
    "default-src 'none'",
    `style-src ${STYLE_HASH}`,
    ...(script === undefined ? [] : [`script-src ${hashOf(script)}`]),
    ...(hasImage ? ['img-src data:'] : []),
    "base-uri 'none'",
    `form-action ${formTargets.length > 0 ? formTargets.join(' ') : "'none'"}`,
    "frame-ancestors 'none'",
  ].join('; ');
  if (refreshSeconds !== undefined) reply.header('refresh', String(refreshSeconds));
  return reply
    .code(status)
    .headers({
      'content-security-policy': policy,
      'cache-control': 'no-store',
      'referrer-policy': page.referrerPolicy ?? 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-robots-tag': 'noindex',
    })
    .type('text/html; charset=utf-8')
    .send(
      html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<main>
${body}
</main>
${script === undefined ? null : new Html(`<script>${script}</script>`)}
</body>
</html>
`.markup,
    );
}
