import type { FastifyInstance, FastifyReply } from 'fastify';
import { html } from '../../web/html.js';
import { readForm } from '../../web/readForm.js';
import { refuseStrangers } from '../../web/refuseStrangers.js';
import { sendPage } from '../../web/sendPage.js';
import { type KlaviyoContext, rootPath } from '../klaviyoContext.js';
import { type AuthorizationCheck, type AuthorizationRequest, checkAuthorizationRequest } from './checkAuthorizationRequest.js';
import { consentPage } from './consentPage.js';
import { redirectBack } from './redirectBack.js';

const PATH = '/klaviyo/oauth/authorize';
const DENIED = 'The resource owner or authorization server denied the request';

/** The authorization endpoint (RFC 6749, 3.1, with RFC 7636): the consent page and the decision made on it. */
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

  /** Sends whatever must not reach the merchant; returns the request that may. */
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
