import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { Html, html } from './html.js';
import { style } from './style.js';

export interface Page {
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
