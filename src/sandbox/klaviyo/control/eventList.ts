import { html, type SafeHtml } from '../../web/html.js';
import type { SandboxAccount } from '../accountBook.js';
import type { ArrivedEvent } from '../eventLog.js';
import type { EventTotals } from './klaviyoControl.js';

const SHOWN = 100;

/** The newest events of one account, newest first. */
export function eventList(account: SandboxAccount, totals: EventTotals, events: ArrivedEvent[]): SafeHtml {
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
