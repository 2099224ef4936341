import type { FastifyReply, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify';

/** Markup that is known to be safe. Only `html` creates it, so external text cannot become markup by accident. */
export class SafeHtml {
  constructor(private readonly markup: string) {}
  toString(): string {
    return this.markup;
  }
}

type HtmlValue = SafeHtml | string | number | boolean | null | undefined | readonly HtmlValue[];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeText = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);

function render(value: HtmlValue): string {
  if (value === null || value === undefined || value === false || value === true) return '';
  if (value instanceof SafeHtml) return value.toString();
  if (Array.isArray(value)) return value.map(render).join('');
  return escapeText(String(value));
}

/** Template tag that escapes interpolated values unless `html` itself created them. Attributes must be quoted. */
export function html(strings: TemplateStringsArray, ...values: HtmlValue[]): SafeHtml {
  return new SafeHtml(strings.reduce((text, part, index) => text + render(values[index - 1]) + part));
}

/** The stylesheet of all sandbox pages. */
export const sandboxStyles = `
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6676; --paper: #f4f5f7; --card: #fff; --line: #d9dee6; --accent: #0b6b4f;
  --warn: #b3261e; --sand: #f7c948; --sand-ink: #3b2c00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf0; --soft: #a5afbd; --paper: #14181f; --card: #1d232d; --line: #343d4b;
  --accent: #4cc79b; --warn: #ff8a80; --sand: #5b4600; --sand-ink: #ffe9a8; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
.banner { margin: 0; padding: .6rem 1rem; background: var(--sand); color: var(--sand-ink); text-align: center; font-size: .9rem; }
.banner strong { letter-spacing: .08em; margin-right: .4rem; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
main.narrow, .narrow { max-width: 30rem; margin-inline: auto; }
footer { max-width: 60rem; margin: 0 auto; padding: 0 1rem 2rem; font-size: .9rem; }
footer a { margin-right: 1rem; }
a { color: var(--accent); }
h1 { font-size: 1.4rem; line-height: 1.25; margin: .2rem 0 .8rem; }
h2 { font-size: 1.1rem; margin: 0 0 .6rem; }
h3 { font-size: 1rem; margin: .8rem 0 .3rem; }
h3 .soft { font-weight: 400; }
.card > :first-child { margin-top: 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.1rem 1.2rem; margin: 1rem 0;
  box-shadow: 0 1px 2px rgb(0 0 0 / 6%); }
.soft { color: var(--soft); font-size: .92rem; }
.app { display: flex; align-items: center; gap: .8rem; margin-bottom: .8rem; }
.mark { flex: none; width: 2.8rem; height: 2.8rem; border-radius: 12px; background: var(--accent); color: var(--card); display: grid;
  place-items: center; font-weight: 700; }
.scopes { list-style: none; margin: .4rem 0 1rem; padding: 0; }
.scopes li { padding: .45rem 0; border-bottom: 1px solid var(--line); display: flex; justify-content: space-between; gap: 1rem;
  flex-wrap: wrap; }
fieldset { border: 1px solid var(--line); border-radius: 10px; margin: 0 0 1rem; padding: .6rem .9rem; }
legend { font-weight: 600; padding: 0 .3rem; }
label.choice { display: flex; gap: .6rem; align-items: center; min-height: 44px; }
.field { display: grid; gap: .2rem; font-size: .9rem; }
.fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .7rem; align-items: end; }
input, select, textarea, button { font: inherit; color: inherit; }
input:not([type=radio], [type=checkbox]), select, textarea { width: 100%; min-height: 44px; padding: .4rem .6rem; border: 1px solid var(--line);
  border-radius: 8px; background: var(--paper); }
button { min-height: 44px; padding: .4rem 1.1rem; border-radius: 10px; border: 1px solid var(--line); background: var(--card); cursor: pointer; }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--card); font-weight: 600; }
button.danger { color: var(--warn); border-color: currentcolor; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.buttons { display: flex; gap: .7rem; flex-wrap: wrap; align-items: center; }
form { margin-top: .7rem; }
.wide button { flex: 1; }
code, pre { font: .85rem/1.45 ui-monospace, monospace; }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: .6rem; overflow: auto; max-height: 28rem;
  white-space: pre-wrap; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); }
.tag { display: inline-block; padding: .05rem .5rem; border-radius: 99px; border: 1px solid var(--line); font-size: .82rem; }
.tag.good { color: var(--accent); border-color: currentcolor; }
.tag.bad { color: var(--warn); border-color: currentcolor; }
`;

interface Page {
  status?: number;
  title: string;
  /** Path of the mount point, such as `/sandbox`, for links and the stylesheet. */
  root: string;
  body: SafeHtml;
  /**
   * Set on the consent page only. The response to its form is a redirect to the app, which may redirect further. Browsers apply
   * `form-action` to that whole chain, so any list here would break some app's callback.
   */
  formLeavesSite?: boolean;
}

/** Sends a page. Styles come from a file of the sandbox and there are no scripts, so the policy needs no exceptions. */
export function sendPage(reply: FastifyReply, page: Page): FastifyReply {
  const policy = ["default-src 'none'", "style-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"];
  if (!page.formLeavesSite) policy.push("form-action 'self'");
  return (
    reply
      .code(page.status ?? 200)
      .header('content-type', 'text/html; charset=utf-8')
      .header('cache-control', 'no-store')
      .header('content-security-policy', policy.join('; '))
      // With no-referrer, browsers would send `Origin: null` with forms.
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

/** A route's response before anything is written. A fault may still replace it. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON. Absent for an empty body. */
  json?: unknown;
  /** Content type of `json`. */
  type?: string;
}

export function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status).headers(answer.headers ?? {});
  if (answer.json === undefined) return reply.send('');
  return reply.header('content-type', answer.type ?? 'application/json').send(JSON.stringify(answer.json));
}

const FORM = /^application\/x-www-form-urlencoded\s*(;|$)/i;

/** Returns the body as form fields, including repeated ones; undefined when the content type is not a form. */
export function readForm(request: FastifyRequest): URLSearchParams | undefined {
  if (!FORM.test(request.headers['content-type'] ?? '')) return undefined;
  return new URLSearchParams(Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '');
}

/** Returns the first repeated parameter, which OAuth forbids (RFC 6749, 3.1 and 3.2). */
export function repeatedParameter(parameters: URLSearchParams): string | undefined {
  const seen = new Set<string>();
  for (const name of parameters.keys()) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

/** Host names that always mean this machine. Any other name may have been pointed at it by an attacker (DNS rebinding). */
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * Refuses requests from other web pages. The sandbox has no log-in, so without this check any web page that a developer visits
 * could read its pages and press its buttons. The name in `Host` must be this machine's or that of `baseUrl`. A form must come
 * from the sandbox itself, according to `Sec-Fetch-Site`, or to `Origin` in browsers without it. Programs send neither header.
 */
export function refuseStrangers(baseUrl: () => string): preHandlerAsyncHookHandler {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { host } = request.headers;
    const own = hostOf(`http://${host}`);
    const publicHost = hostOf(baseUrl())?.host;
    if (!own || !(LOOPBACK.test(own.hostname) || own.host === publicHost)) {
      return reply.code(403).type('text/plain').send('The sandbox can only be opened at its own address.');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD' && !isOwnForm(request, [own.host, publicHost])) {
      return reply.code(403).type('text/plain').send('This form can only be sent from the sandbox itself.');
    }
    return undefined;
  };
}

/** A proxy may have put its own name into `Host`, but the browser knows the public one. */
function isOwnForm({ headers }: FastifyRequest, ownHosts: readonly (string | undefined)[]): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  if (headers.origin === undefined) return true;
  const from = hostOf(headers.origin)?.host;
  return from !== undefined && ownHosts.includes(from);
}

function hostOf(url: string): URL | null {
  return URL.canParse(url) ? new URL(url) : null;
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
