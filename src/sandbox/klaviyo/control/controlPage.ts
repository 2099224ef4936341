import { html, type SafeHtml } from '../../web/html.js';
import { appSection } from './appSection.js';
import { eventList } from './eventList.js';
import { faultForm } from './faultForm.js';
import type { Installation, KlaviyoControl } from './klaviyoControl.js';

/** Everything there is to see and do at this Klaviyo, which is served at `baseUrl`. */
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
