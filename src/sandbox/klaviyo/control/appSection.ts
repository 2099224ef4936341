import { html, type SafeHtml } from '../../web/html.js';
import { OWN_APP, type SandboxApp } from '../appBook.js';

/** The apps with what a client needs to be one of them, and the form that adds another. */
export const appSection = (apps: SandboxApp[], baseUrl: string, action: string): SafeHtml => html`<section class="card">
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
