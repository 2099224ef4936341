import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Markup that is safe to put into a page as it is. */
export class Html {
  constructor(readonly markup: string) {}
}

/** Writes markup; whatever is put in is escaped, unless it is markup itself. Null and undefined leave nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return new Html(strings.reduce((text, part, index) => text + render(values[index - 1]) + part));
}

function render(value: unknown): string {
  if (value instanceof Html) return value.markup;
  return value === null || value === undefined
    ? ''
    : String(value).replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}

/** The look of every page of ours: one column, the system's font, light and dark, good at 320 pixels. */
const style = `
:root { color-scheme: light dark; --ink: #16202c; --quiet: #5a6775; --paper: #fff; --ground: #f2f4f7; --good: #147a4b; --bad: #b3261e; --wait: #8a5a00; --link: #1f5fbf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf3; --quiet: #9aa7b5; --paper: #1b232d; --ground: #10161d; --good: #5fd39a; --bad: #ff8a80; --wait: #f2c063; --link: #8ab8ff; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.25rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 30rem; padding: 2rem 1.75rem; border-radius: 1rem; background: var(--paper); box-shadow: 0 1px 3px #0002, 0 8px 32px #0001; }
.mark { width: 3rem; height: 3rem; border-radius: 50%; display: grid; place-items: center; font-size: 1.5rem; font-weight: 700; border: 2px solid currentColor; }
.good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); }
h1 { margin: 1rem 0 .5rem; font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); font-size: .9rem; }
code { font-size: .85em; }
a.button { display: inline-block; margin-top: 1rem; padding: .65rem 1.25rem; border-radius: .5rem; background: var(--link); color: var(--paper); text-decoration: none; font-weight: 600; }
.sandbox { margin: -2rem -1.75rem 1.5rem; padding: .5rem 1.75rem; border-radius: 1rem 1rem 0 0; background: #ffd84d; color: #3b2f00; font-size: .85rem; font-weight: 600; }
`;

interface Page {
  readonly status: number;
  readonly title: string;
  readonly body: Html;
  /** Inline script, if the page needs one; the policy allows exactly this text. */
  readonly script?: string;
  /** Seconds after which the browser loads the page again. */
  readonly refreshSeconds?: number;
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const STYLE_HASH = hashOf(style);

/**
 * Sends a page that stores nothing, loads nothing, tells nobody where the visitor came from (its URL may hold a code),
 * and can't be framed. No Cross-Origin-Opener-Policy: a pop-up must be able to reach its opener.
 */
export function sendPage(reply: FastifyReply, { status, title, body, script, refreshSeconds }: Page): FastifyReply {
  const policy = [
    "default-src 'none'",
    `style-src ${STYLE_HASH}`,
    ...(script === undefined ? [] : [`script-src ${hashOf(script)}`]),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  if (refreshSeconds !== undefined) reply.header('refresh', String(refreshSeconds));
  return reply
    .code(status)
    .headers({
      'content-security-policy': policy,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-robots-tag': 'noindex',
    })
    .type('text/html; charset=utf-8')
    .send(
      html`<!doctype html>
<html lang="en">
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
