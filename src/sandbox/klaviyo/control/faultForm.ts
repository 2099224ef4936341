import { html, type SafeHtml } from '../../web/html.js';
import type { ActiveFault, FaultKind, FaultTarget } from '../faultBox.js';
import { FAULT_KINDS, FAULT_TARGETS } from './readCommand.js';

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

/** The form that orders a fault, below the faults that are waiting. */
export const faultForm = (faults: ActiveFault[], action: string): SafeHtml => html`
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
