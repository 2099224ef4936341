import type { FastifyInstance, FastifyReply } from 'fastify';
import { html, readForm, refuseStrangers, repeatedParameter, type SafeHtml, sendPage } from '../../web.js';
import type { SandboxAccount } from '../accountBook.js';
import type { SandboxApp } from '../appBook.js';
import { type KlaviyoContext, rootPath } from '../klaviyoContext.js';

const PATH = '/klaviyo/oauth/authorize';
const DENIED = 'The resource owner or authorization server denied the request';

/** Registers the authorization endpoint (RFC 6749, 3.1, with RFC 7636): the consent page and the decision on it. */
export function authorizeRoutes(server: FastifyInstance, context: KlaviyoContext): void {
  const { accounts, codes, counters, options } = context;
  const preHandler = refuseStrangers(options.baseUrl);

  const sendProblem = (reply: FastifyReply, title: string, detail: string) =>
    sendPage(reply, {
      status: 400,
      title,
      root: rootPath(options),
      body: html`<div class="narrow card"><h1>${title}</h1><p>${detail}</p>
<p class="soft">You can close this window and start again from the app.</p></div>`,
    });

  /** Responds to an invalid request. Returns a valid one, which may be shown to the merchant. */
  function settle(check: AuthorizationCheck, reply: FastifyReply): AuthorizationRequest | undefined {
    if (check.outcome === 'page') sendProblem(reply, check.title, check.detail);
    else if (check.outcome === 'redirect') reply.header('cache-control', 'no-store').redirect(check.location, 302);
    else return check.request;
    return undefined;
  }

  server.get(PATH, { preHandler }, async (request, reply) => {
    const parameters = new URL(request.url, 'http://sandbox').searchParams;
    const asked = settle(checkAuthorizationRequest(parameters, context), reply);
    if (!asked) return reply;
    return sendPage(reply, {
      title: 'Allow access?',
      root: rootPath(options),
      formLeavesSite: true,
      body: consentPage(asked, parameters, accounts.list(), rootPath(options)),
    });
  });

  server.post(PATH, { bodyLimit: 64 * 1024, preHandler }, async (request, reply) => {
    const form = readForm(request);
    if (!form) return sendProblem(reply, 'Not a form', 'The decision must be sent as a form.');
    const asked = settle(checkAuthorizationRequest(form, context), reply);
    if (!asked) return reply;

    const decision = form.get('decision');
    const chosen = form.get('account');
    const account = chosen === null ? accounts.list()[0] : accounts.find(chosen);
    if (decision !== 'allow' && decision !== 'deny') return sendProblem(reply, 'No decision', 'Press Allow or Deny.');
    if (!account) return sendProblem(reply, 'Unknown account', 'This account does not exist in the sandbox.');

    const { app, redirectUri, state, scopes, codeChallenge } = asked;
    counters[decision === 'allow' ? 'approvals' : 'denials'] += 1;
    const answer: Record<string, string> =
      decision === 'allow'
        ? { code: codes.issue({ appId: app.id, accountId: account.id, scopes, redirectUri, codeChallenge }), state }
        : { error: 'access_denied', error_description: DENIED, state };
    return reply.header('cache-control', 'no-store').redirect(redirectBack(redirectUri, answer), 302);
  });
}

/** A valid authorization request. */
interface AuthorizationRequest {
  app: SandboxApp;
  redirectUri: string;
  state: string;
  codeChallenge: string;
  /** Scopes that were requested and that the app is configured with; the grant will have these. */
  scopes: string[];
}

type AuthorizationCheck =
  | { outcome: 'consent'; request: AuthorizationRequest }
  /** The app may be informed by a redirect with an error (RFC 6749, 4.1.2.1). */
  | { outcome: 'redirect'; location: string }
  /** There is no trusted redirect URI, so the error can only be shown on a page. */
  | { outcome: 'page'; title: string; detail: string };

const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
const CHALLENGE = /^[A-Za-z0-9\-_]{43}$/;

function checkAuthorizationRequest(
  parameters: URLSearchParams,
  { apps, options }: Pick<KlaviyoContext, 'apps' | 'options'>,
): AuthorizationCheck {
  const one = (name: string) => (parameters.getAll(name).length === 1 ? (parameters.get(name) ?? '') : '');
  const page = (title: string, detail: string): AuthorizationCheck => ({ outcome: 'page', title, detail });

  const app = apps.byClientId(one('client_id'));
  if (!app) return page('Unknown app', 'No app has the client_id of this link.');
  const redirectUri = one('redirect_uri');
  if (!redirectUri) return page('No address to return to', 'The link must carry exactly one redirect_uri.');
  if (!app.redirectUris.includes(redirectUri)) {
    return page(
      'Address not allowed',
      `The redirect_uri ${redirectUri} is not, character for character, on the app's allow-list.`,
    );
  }

  const state = one('state');
  const refuse = (error: string, description: string): AuthorizationCheck => ({
    outcome: 'redirect',
    location: redirectBack(redirectUri, { error, error_description: description, state }),
  });

  const repeated = repeatedParameter(parameters);
  if (repeated) return refuse('invalid_request', `The parameter "${repeated}" is given more than once`);
  if (!one('response_type')) return refuse('invalid_request', 'The parameter "response_type" is missing');
  if (one('response_type') !== 'code') return refuse('unsupported_response_type', 'The response_type must be "code"');
  if (!state) return refuse('invalid_request', 'The parameter "state" is missing');
  if (one('code_challenge_method') !== 'S256') return refuse('invalid_request', 'The code_challenge_method must be "S256"');
  if (!CHALLENGE.test(one('code_challenge'))) {
    return refuse('invalid_request', 'The code_challenge must be a SHA-256 in base64url: 43 characters without padding');
  }

  const asked = [...new Set(one('scope').split(' ').filter(Boolean))];
  if (asked.length === 0) return refuse('invalid_scope', 'The parameter "scope" is missing');
  if (!asked.every((scope) => SCOPE.test(scope))) return refuse('invalid_scope', 'The scope is malformed');
  const scopes = asked.filter((scope) => options.appScopes.includes(scope));
  if (!scopes.includes('accounts:read')) {
    return refuse('invalid_scope', 'The scope accounts:read is always required, of the request and of the app');
  }
  return { outcome: 'consent', request: { app, redirectUri, state, scopes, codeChallenge: one('code_challenge') } };
}

/** The parameters that the form sends back with the decision, so that the second request can be checked like the first. */
const CARRIED = ['response_type', 'client_id', 'redirect_uri', 'scope', 'state', 'code_challenge_method', 'code_challenge'];

function consentPage(
  request: AuthorizationRequest,
  parameters: URLSearchParams,
  accounts: SandboxAccount[],
  root: string,
): SafeHtml {
  return html`<div class="narrow card">
<div class="app"><span class="mark" aria-hidden="true">${request.app.name.slice(0, 2)}</span><h1>${request.app.name} asks for access to your Klaviyo account</h1></div>
<p class="soft">It would be allowed to:</p>
<ul class="scopes">${request.scopes.map((scope) => html`<li>${scopeWords(scope)} <code>${scope}</code></li>`)}</ul>
<form method="post" action="${root}/klaviyo/oauth/authorize">
${CARRIED.map((name) => html`<input type="hidden" name="${name}" value="${parameters.get(name)}">\n`)}
<fieldset><legend>Which account?</legend>
${accounts.map(
  (
    account,
    index,
  ) => html`<label class="choice"><input type="radio" name="account" value="${account.id}"${index === 0 && html` checked`}>
<span>${account.name} <span class="soft">${account.id}</span></span></label>`,
)}
</fieldset>
<div class="buttons wide">
<button class="primary" name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</div>
</form>
<p class="soft">Afterwards you return to ${new URL(request.redirectUri).host}.</p>
</div>`;
}

/** Adds parameters to the app's redirect URI (RFC 6749, 4.1.2). Keeps the URI's own query; leaves out empty values. */
function redirectBack(redirectUri: string, answer: Record<string, string>): string {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(answer)) if (value) url.searchParams.append(name, value);
  return url.href;
}

const RESOURCES: Record<string, string> = {
  accounts: 'account details, such as name and time zone',
  campaigns: 'campaigns',
  catalogs: 'catalogs',
  conversations: 'conversations',
  coupons: 'coupons',
  'coupon-codes': 'coupon codes',
  'data-privacy': 'data privacy requests',
  events: 'events, such as a parcel being delivered',
  flows: 'flows',
  forms: 'sign-up forms',
  images: 'images',
  lists: 'lists',
  metrics: 'metrics',
  profiles: 'customer profiles',
  'push-tokens': 'push tokens',
  reviews: 'reviews',
  segments: 'segments',
  subscriptions: 'marketing consent',
  tags: 'tags',
  templates: 'e-mail templates',
  'tracking-settings': 'tracking settings',
  'web-feeds': 'web feeds',
  webhooks: 'webhooks',
};

/** Describes a scope in a merchant's words. */
function scopeWords(scope: string): string {
  const [resource = scope, access] = scope.split(':');
  const words = RESOURCES[resource] ?? resource;
  return access === 'write' ? `Add and change ${words}` : `Read ${words}`;
}
