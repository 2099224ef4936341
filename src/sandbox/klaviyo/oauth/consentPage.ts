import { html, type SafeHtml } from '../../web/html.js';
import type { SandboxAccount } from '../accountBook.js';
import { scopeWords } from '../scopeWords.js';
import type { AuthorizationRequest } from './checkAuthorizationRequest.js';

/** Everything the form sends back with the decision, so the second request can be checked like the first. */
const CARRIED = ['response_type', 'client_id', 'redirect_uri', 'scope', 'state', 'code_challenge_method', 'code_challenge'];

export function consentPage(
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
