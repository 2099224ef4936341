import type { FastifyReply } from 'fastify';
import { html, type SafeHtml } from './html.js';

export interface Page {
  status?: number;
  title: string;
  /** Path of the mount point, such as `/sandbox`, for links and the stylesheet. */
  root: string;
  body: SafeHtml;
  /**
   * Set on the consent page alone. Its form is answered by a redirect to the app, which may redirect further;
   * browsers apply `form-action` to that whole chain, so any list given here would break somebody's callback.
   */
  formLeavesSite?: boolean;
}

/** Sends one finished page. Styles come from a file of our own and there are no scripts, so the policy needs no exceptions. */
export function sendPage(reply: FastifyReply, page: Page): FastifyReply {
  const policy = ["default-src 'none'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"];
  if (!page.formLeavesSite) policy.push("form-action 'self'");
  return (
    reply
      .code(page.status ?? 200)
      .header('content-type', 'text/html; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('content-security-policy', policy.join('; '))
      // With no-referrer, browsers would not say either whence a form comes.
      .header('referrer-policy', 'same-origin')
      .header('x-content-type-options', 'nosniff')
      .send(renderPage(page).toString())
  );
}

const renderPage = ({ title, root, body }: Page): SafeHtml => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title} · SANDBOX</title>
<link rel="stylesheet" href="${root}/sandbox.css">
</head>
<body>
<p class="banner"><strong>SANDBOX</strong> A local stand-in for Klaviyo. Nothing you do here reaches the real one.</p>
<main>${body}</main>
<footer><nav aria-label="Sandbox"><a href="${root}/klaviyo">Klaviyo</a> <a href="${root}/inbox">Webhook inbox</a></nav></footer>
</body>
</html>
`;
