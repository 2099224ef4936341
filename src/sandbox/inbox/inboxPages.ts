import { html, type SafeHtml } from '../web/html.js';
import { INBOX_ANSWERS, type InboxAnswer, type InboxBehaviour } from './inboxBehaviour.js';
import type { Inbox } from './inboxStore.js';
import { receivedRequest } from './receivedRequest.js';

const ANSWER_WORDS: Record<InboxAnswer, string> = {
  ok: '200',
  error: '500',
  gone: '410: never send again',
  throttle: '429 with Retry-After',
  redirect: '302 to another address',
  slow: '200, but slowly',
  hang: 'Not at all',
};

const SHOWN = 100;

export const inboxListPage = (inboxes: Inbox[], root: string, baseUrl: string): SafeHtml => html`<h1>Webhook inbox</h1>
<section class="card"><h2>Inboxes</h2>
<p>Send webhooks to <code>${baseUrl}/inbox/</code> and any name, such as <code>${baseUrl}/inbox/orders</code>. An inbox needs no setting up.</p>
${inboxes.length === 0 && html`<p class="soft">Nothing has arrived yet.</p>`}
<ul>${inboxes.map(
  ({ name, total, behaviour }) => html`<li><a href="${root}/inbox-view/${name}">${name}</a>
<span class="soft">${total} received, answers ${behaviourWords(behaviour)}</span></li>`,
)}</ul>
<form method="get" action="${root}/inbox-view" class="fields">
<label class="field">Name <input name="name" required maxlength="64" pattern="[A-Za-z0-9._\\-]+"></label><button>Open</button></form>
</section>`;

export function inboxPage(inbox: Inbox, root: string, baseUrl: string): SafeHtml {
  const action = `${root}/inbox-control/${inbox.name}`;
  return html`<h1>Inbox ${inbox.name}</h1>
<section class="card"><p>Receives at <code>${baseUrl}/inbox/${inbox.name}</code></p>
<p class="soft">${inbox.total} received, answers ${behaviourWords(inbox.behaviour)}.
<a href="${root}/inbox-view/${inbox.name}">Refresh</a> · <a href="${action}">As JSON</a></p>
<form method="post" action="${action}" class="fields">
<label class="field">Answer <select name="answer">${INBOX_ANSWERS.map(
    (answer) =>
      html`<option value="${answer}"${answer === inbox.behaviour.answer && html` selected`}>${ANSWER_WORDS[answer]}</option>`,
  )}</select></label>
<label class="field">Times (empty: always) <input name="times" type="number" min="1" inputmode="numeric"></label>
<label class="field">Retry-After, seconds <input name="retry_after" type="number" min="0" inputmode="numeric"></label>
<label class="field">Delay, milliseconds <input name="delay_ms" type="number" min="0" inputmode="numeric"></label>
<button class="primary" name="action" value="behaviour">Set</button>
</form></section>
<section class="card"><h2>Signatures</h2>
<p class="soft">${inbox.secret ? 'Checked with the secret that was entered.' : 'Not checked: enter the signing secret of the connection.'}</p>
<form method="post" action="${action}" class="fields">
<label class="field">Signing secret <input name="secret" placeholder="whsec_…" autocomplete="off" spellcheck="false"></label>
<button name="action" value="secret">${inbox.secret ? 'Replace or, when empty, remove' : 'Check signatures'}</button>
</form></section>
<section><h2>What arrived</h2>
${inbox.requests.length === 0 && html`<p class="soft">Nothing yet.</p>`}
${inbox.requests.length > SHOWN && html`<p class="soft">The newest ${SHOWN} of ${inbox.requests.length} that are kept:</p>`}
${inbox.requests.slice(-SHOWN).reverse().map(receivedRequest)}
<form method="post" action="${action}"><button name="action" value="clear">Forget them</button></form>
</section>`;
}

const behaviourWords = ({ answer, times }: InboxBehaviour): string =>
  times === undefined ? ANSWER_WORDS[answer] : `${ANSWER_WORDS[answer]} (${times} more times, then 200)`;
