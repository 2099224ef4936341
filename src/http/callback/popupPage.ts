import type { Authorization } from '../../domain/Authorization.js';
import { Html, html } from '../pages/html.js';
import type { OutcomePage } from './outcomePage.js';

/** What the opener's `message` event carries in `data`. */
export interface AuthorizationMessage {
  readonly type: 'switchboard:authorization';
  readonly connection: string | null;
  readonly outcome: string;
  readonly errorCode: string | null;
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
  { returnTo, connectionId, status, errorCode }: Authorization,
): OutcomePage & { script: string } {
  const message: AuthorizationMessage = {
    type: 'switchboard:authorization',
    connection: connectionId ? String(connectionId) : null,
    outcome: status,
    errorCode: errorCode ?? null,
  };
  const data = JSON.stringify({ message, origin: new URL(returnTo as string).origin }).replaceAll('<', '\\u003c');
  return {
    ...page,
    body: html`${page.body}${new Html(`<script type="application/json" id="outcome">${data}</script>`)}`,
    script: popupScript,
  };
}
