import type { Authorization } from '../../domain/Authorization.js';
import { explainOutcome } from '../../oauth/explainOutcome.js';
import { Html, html } from '../pages/html.js';
import type { OutcomePage } from './outcomePage.js';

/** What the opener's `message` event carries in `data`. */
export interface AuthorizationMessage {
  readonly type: 'switchboard:authorization';
  readonly connection: string | null;
  readonly outcome: string;
  readonly errorCode: string | null;
  /** A sentence or two for the merchant. */
  readonly errorDescription: string | null;
}

/** Tells the opener, at the one origin that may know, and closes. Without an opener the page just stays. */
export const popupScript = `(() => {
  const { message, origin } = JSON.parse(document.getElementById('outcome').textContent);
  if (!window.opener) return;
  window.opener.postMessage(message, origin);
  window.close();
})();`;

/** The outcome page with the message for the opener in it, as data that `popupScript` reads. */
export function popupPage(
  page: OutcomePage,
  authorization: Authorization,
  providerName: string,
): OutcomePage & { script: string } {
  const { returnTo, connectionId, status, errorCode } = authorization;
  const message: AuthorizationMessage = {
    type: 'switchboard:authorization',
    connection: connectionId ? String(connectionId) : null,
    outcome: status,
    errorCode: errorCode ?? null,
    errorDescription: explainOutcome(authorization, providerName),
  };
  const data = JSON.stringify({ message, origin: new URL(returnTo as string).origin }).replaceAll('<', '\\u003c');
  return {
    ...page,
    body: html`${page.body}${new Html(`<script type="application/json" id="outcome">${data}</script>`)}`,
    script: popupScript,
  };
}
