import { repeatedParameter } from '../../web/readForm.js';
import type { SandboxApp } from '../appBook.js';
import type { KlaviyoContext } from '../klaviyoContext.js';
import { redirectBack } from './redirectBack.js';

/** A request that may be put before the merchant. */
export interface AuthorizationRequest {
  app: SandboxApp;
  redirectUri: string;
  state: string;
  codeChallenge: string;
  /** Asked for and configured for the app: what a grant will hold. */
  scopes: string[];
}

export type AuthorizationCheck =
  | { outcome: 'consent'; request: AuthorizationRequest }
  /** The app may be told, by sending the browser back with an error (RFC 6749, 4.1.2.1). */
  | { outcome: 'redirect'; location: string }
  /** Nobody can be told but the person in front of the screen: there is no address to trust. */
  | { outcome: 'page'; title: string; detail: string };

const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;
const CHALLENGE = /^[A-Za-z0-9\-_]{43}$/;

export function checkAuthorizationRequest(
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
