import { html, type SafeHtml } from '../../web.js';
import type { SandboxAccount } from '../accountBook.js';
import { OWN_APP, type SandboxApp } from '../appBook.js';
import type { ArrivedEvent } from '../eventLog.js';
import type { ActiveFault, FaultKind, FaultTarget } from '../faults.js';
import type { EventTotals, Installation, KlaviyoControl } from './klaviyoControl.js';
import { FAULT_KINDS, FAULT_TARGETS } from './readCommand.js';

/** Renders the control page of the Klaviyo at `baseUrl`, with all its state and controls. */
export function controlPage(control: KlaviyoControl, baseUrl: string): SafeHtml {
  const action = `${new URL(baseUrl).pathname.replace(/\/+$/, '')}/klaviyo/control`;
  const installations = control.installations();
  return html`<h1>Klaviyo</h1>
<section class="card"><h2>Accounts that installed an app</h2>
${installations.length === 0 && html`<p class="soft">None yet. Start an authorization in Switchboard and press Allow here.</p>`}
${installations.map((installation) => installationCard(installation, action))}
</section>
${appSection(control.apps(), baseUrl, action)}
<section class="card"><h2>Make it fail</h2>${faultForm(control.faults(), action)}</section>
<section class="card"><h2>Events that arrived</h2>
${control.accounts().map((account) => eventList(account, control.eventTotals(account.id), control.events(account.id)))}
<form method="post" action="${action}"><button name="action" value="clear_events">Forget all events</button></form>
</section>
<section class="card"><h2>Accounts</h2>
<ul>${control.accounts().map((account) => html`<li>${account.name} <span class="soft">${account.id}, ${account.timezone}, ${account.currency}</span></li>`)}</ul>
<form method="post" action="${action}" class="fields">
<label class="field">Name of a new account <input name="name" maxlength="100" required></label>
<button name="action" value="add_account">Add</button>
</form></section>
<section class="card"><h2>Counters</h2>
<div class="scroll"><table>${Object.entries(control.counters).map(
    ([name, count]) =>
      html`<tr><th scope="row">${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}</th><td>${count}</td></tr>`,
  )}</table></div>
<form method="post" action="${action}"><button name="action" value="reset_counters">Set to zero</button></form>
</section>`;
}

const installationCard = (installation: Installation, action: string): SafeHtml => html`<div>
<p><strong>${installation.account.name}</strong> <span class="soft">${installation.account.id}, ${installation.app.name}</span>
${installation.refreshable > 0 ? html`<span class="tag good">connected</span>` : html`<span class="tag bad">grant withdrawn</span>`}</p>
<p class="soft">Scopes ${installation.scopes.map((scope) => html`<code>${scope}</code> `)}
· ${installation.liveAccessTokens} live access token(s) · installed ${installation.installedAt} · last used ${installation.refreshedAt}</p>
<form method="post" action="${action}" class="buttons">
<input type="hidden" name="account" value="${installation.account.id}">
<input type="hidden" name="app" value="${installation.app.id}">
<button name="action" value="expire">Expire access tokens</button>
<button class="danger" name="action" value="revoke">Withdraw the refresh token</button>
<button class="danger" name="action" value="uninstall">Uninstall</button>
</form></div>`;

/** Renders the apps with their credentials, and the form that adds one. */
const appSection = (apps: SandboxApp[], baseUrl: string, action: string): SafeHtml => html`<section class="card">
<h2>Apps</h2>
<p class="soft">Any OAuth client, such as one that uses Klaviyo’s SDK, can be one of these apps.
Authorize at <code>${baseUrl}/klaviyo/oauth/authorize</code>, tokens at <code>${baseUrl}/klaviyo/oauth/token</code>,
API at <code>${baseUrl}/klaviyo/api</code>.</p>
${apps.map((app) => appCard(app, action))}
<h3>Another app</h3>
<form method="post" action="${action}">
<div class="fields">
<label class="field">Name <input name="name" maxlength="100" required></label>
<label class="field">Client id (empty: made up) <input name="client_id" maxlength="200" autocomplete="off"></label>
<label class="field">Client secret (empty: made up) <input name="client_secret" maxlength="500" autocomplete="off"></label>
</div>
${redirectUriField([])}
<button class="primary" name="action" value="add_app">Add</button>
</form></section>`;

const appCard = (app: SandboxApp, action: string): SafeHtml => html`<details>
<summary><strong>${app.name}</strong> <code>${app.clientId}</code></summary>
<div class="scroll"><table>
<tr><th scope="row">Client id</th><td><code>${app.clientId}</code></td></tr>
<tr><th scope="row">Client secret</th><td><code>${app.clientSecret}</code></td></tr>
</table></div>
<form method="post" action="${action}">
<input type="hidden" name="app" value="${app.id}">
${redirectUriField(app.redirectUris)}
${app.id === OWN_APP && html`<p class="soft">Switchboard’s own callback stays allowed, whatever is set here.</p>`}
<div class="buttons"><button name="action" value="set_redirect_uris">Set redirect URIs</button>
${app.id !== OWN_APP && html`<button class="danger" name="action" value="remove_app">Remove, with its grants</button>`}</div>
</form></details>`;

const redirectUriField = (redirectUris: string[]): SafeHtml => html`<label class="field">Redirect URIs, one a line
<textarea name="redirect_uris" rows="${Math.max(2, redirectUris.length)}" spellcheck="false">${redirectUris.join('\n')}</textarea></label>`;

const SHOWN = 100;

/** Renders the newest events of one account, newest first. */
function eventList(account: SandboxAccount, totals: EventTotals, events: ArrivedEvent[]): SafeHtml {
  return html`<h3>${account.name} <span class="soft">${totals.recorded} recorded, ${totals.duplicates} repetitions dropped</span></h3>
${events.length > SHOWN && html`<p class="soft">The newest ${SHOWN} of them:</p>`}
${events.slice(-SHOWN).reverse().map(eventEntry)}`;
}

const eventEntry = (event: ArrivedEvent): SafeHtml => html`<details>
<summary>${event.sequence}. <strong>${event.metric}</strong> ${who(event.profile)} <span class="soft">${event.time}</span></summary>
<pre>${JSON.stringify(event, null, 2).slice(0, 20_000)}</pre>
</details>`;

const who = (profile: Record<string, unknown>): string =>
  String(profile.email ?? profile.phone_number ?? profile.external_id ?? profile.id ?? profile.anonymous_id ?? '');

const KIND_WORDS: Record<FaultKind, string> = {
  throttle: '429, for some seconds',
  server_error: '500',
  unavailable: '503 (with Retry-After, when seconds are given)',
  bad_gateway_html: '502 with an HTML page',
  edge_challenge: '403 from the edge, HTML with cf-mitigated',
  hang: 'No answer: the connection stays open',
  reset: 'The connection is reset',
  big_body: '200 with a body of 10 MB',
  slow: 'The right answer, after some seconds',
  invalid_client: '401 invalid_client',
  invalid_grant: '400 invalid_grant',
  unauthorized: '401 not_authenticated (API)',
  permission_denied: '403 permission_denied (API)',
  omit_refresh_token: 'Token answer without refresh_token',
  rotate_refresh_token: 'Token answer with a new refresh_token; the old one dies',
  omit_expires_in: 'Token answer without expires_in',
  expires_in_string: 'Token answer with expires_in as a string',
};

const TARGET_WORDS: Record<FaultTarget, string> = {
  both: 'Tokens and API',
  token: 'Token endpoint',
  api: 'API',
  revoke: 'Revocation endpoint',
  all: 'Everything',
};

/** Renders the form that injects a fault, below the faults that are waiting. */
const faultForm = (faults: ActiveFault[], action: string): SafeHtml => html`
${faults.map(
  (fault) => html`<form method="post" action="${action}" class="buttons"><input type="hidden" name="fault" value="${fault.id}">
<span class="tag bad">${KIND_WORDS[fault.kind]}</span> ${TARGET_WORDS[fault.target]},
${fault.count === undefined ? 'until cleared' : `next ${fault.count} request(s)`}
<button name="action" value="clear_faults">Clear</button></form>`,
)}
<form method="post" action="${action}" class="fields">
<label class="field">What <select name="kind">${FAULT_KINDS.map((kind) => html`<option value="${kind}">${KIND_WORDS[kind]}</option>`)}</select></label>
<label class="field">Where <select name="target">${FAULT_TARGETS.map((target) => html`<option value="${target}">${TARGET_WORDS[target]}</option>`)}</select></label>
<label class="field">How many requests (empty: until cleared) <input name="count" type="number" min="1" inputmode="numeric" value="1"></label>
<label class="field">Seconds <input name="seconds" type="number" min="0" inputmode="numeric"></label>
<label class="choice"><input type="checkbox" name="after_effect"> Do the work first, lose the answer</label>
<button class="primary" name="action" value="fault">Set</button>
</form>`;
