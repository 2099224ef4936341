import { html } from '../pages/html.js';
import type { OutcomePage } from './outcomePage.js';

/** What a merchant reads when something broke that nobody foresaw. Loading it again is safe: a code is exchanged once at most. */
export function unexpectedPage(id: string): OutcomePage {
  const title = 'Something went wrong on our side';
  return {
    status: 500,
    title,
    body: html`<div class="mark bad" aria-hidden="true">!</div>
<h1>${title}</h1>
<p>It is not your fault.</p>
<p>Load this page again in a minute. If it stays like this, tell the support of the app this number:</p>
<p class="quiet"><code>${id}</code></p>`,
  };
}
