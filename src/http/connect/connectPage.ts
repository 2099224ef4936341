import type { Connection } from '../../domain/Connection.js';
import type { Provider } from '../../oauth/Provider.js';
import { sandboxBanner } from '../callback/outcomePage.js';
import { Html, html } from '../pages.js';
import type { TextKey, Words } from '../texts/texts.js';
import { CONNECT_PATH, connectAddress } from './linkCookie.js';

/** The app's name and logo, as merchants know them. */
export interface Brand {
  readonly name: string;
  /** A data: URL. Null without a logo. */
  readonly logo: string | null;
}

/** What the page asks the merchant for. */
export interface Question {
  readonly brand: Brand;
  readonly provider: Provider;
  readonly organizationName: string;
  readonly connection: Pick<Connection, 'name' | 'status'>;
  /** The name of the connected account. Null when it has no name, or when no account is connected. */
  readonly accountName: string | null;
  /** Names of the scopes that the authorization requests. */
  readonly scopes: readonly string[];
  readonly sessionId: string;
  readonly isPopup: boolean;
  /** The URL to which a merchant who declines returns. Null when there is none. */
  readonly returnTo: string | null;
}

interface ShownPage {
  readonly title: string;
  readonly body: Html;
}

/** Returns the page that says which app requests which access. Its button continues to the provider. */
export function connectPage(question: Question, words: Words): ShownPage {
  const { brand, provider, organizationName, connection, accountName, isPopup, returnTo } = question;
  const values = { app: brand.name, provider: provider.name, organization: organizationName, account: accountName ?? '' };
  const isConnected = connection.status === 'active';
  const title = words(isConnected ? 'connect.connectedTitle' : 'connect.asks', values);
  const status = isConnected
    ? html`<p>${words(accountName ? 'connect.connected' : 'connect.connectedUnnamed', values)}</p>
<p>${words('connect.connectedNext')}</p>`
    : html`<p>${words(connection.status === 'reauthorization_required' ? 'connect.lost' : 'connect.what', values)}</p>`;
  const back = returnTo && !isPopup ? returnTo : null;
  const body = html`${sandboxBanner(provider, words)}
${brand.logo ? html`<img class="logo" src="${brand.logo}" alt="${brand.name}">` : null}
${isConnected ? html`<div class="mark good" aria-hidden="true">✓</div>` : null}
<h1>${title}</h1>
${status}
<dl>
<dt>${words('connect.app')}</dt><dd>${brand.name}</dd>
<dt>${words('connect.organization')}</dt><dd>${organizationName}</dd>
${connection.name ? html`<dt>${words('connect.connection')}</dt><dd>${connection.name}</dd>` : null}
</dl>
<h2>${words('connect.may')}</h2>
<ul>
${new Html(question.scopes.map((name) => html`<li>${describeScope(name, provider, words)}</li>`.markup).join('\n'))}
</ul>
<p class="care">${words('connect.care', values)}</p>
<p class="quiet">${words('connect.password', values)}</p>
<form method="post" action="${CONNECT_PATH}">
<input type="hidden" name="session" value="${question.sessionId}">
${isPopup ? html`<input type="hidden" name="display" value="popup">` : null}
<button class="button">${words(isConnected ? 'connect.again' : 'connect.button', values)}</button>
${back ? html`<a class="plain" href="${back}">${words('connect.back')}</a>` : null}
</form>`;
  return { title, body };
}

/** Returns a scope's description for merchants, or its name when there is no text for it. */
function describeScope(name: string, provider: Provider, words: Words): string {
  const known = words.find(`scopes.${name}`);
  if (known !== null) return known;
  const scope = provider.scopes.find((one) => one.name === name);
  const what = scope && words.find(`resources.${scope.resource}`);
  if (!scope || !what) return name;
  return words(scope.access === 'read' ? 'scopes.read' : 'scopes.write', { what });
}

/** Why a link does not work, or why its button was refused. */
export type LinkProblem =
  | 'expired'
  | 'ended'
  | 'unknown'
  | 'forbidden'
  | 'missing'
  | 'changed'
  | 'foreign'
  | 'unavailable'
  | 'tooMany';

interface ProblemWords {
  readonly status: number;
  readonly title: TextKey;
  readonly next: TextKey;
  /** Whether the problem page links to the connect page of the link that this browser holds. */
  readonly leadsOn?: boolean;
}

const PROBLEMS: Readonly<Record<LinkProblem, ProblemWords>> = {
  expired: { status: 410, title: 'link.expiredTitle', next: 'link.askNew' },
  ended: { status: 410, title: 'link.endedTitle', next: 'link.askNew' },
  unknown: { status: 404, title: 'link.unknownTitle', next: 'link.askNew' },
  forbidden: { status: 403, title: 'link.unknownTitle', next: 'link.askNew' },
  missing: { status: 400, title: 'link.missingTitle', next: 'link.openAgain' },
  changed: { status: 409, title: 'link.changedTitle', next: 'link.openAgain', leadsOn: true },
  foreign: { status: 403, title: 'link.foreignTitle', next: 'link.openAgain' },
  unavailable: { status: 409, title: 'link.unavailableTitle', next: 'link.tellSupport' },
  tooMany: { status: 429, title: 'link.tooManyTitle', next: 'link.openAgain' },
};

/** Returns the page for a link that does not work: the reason, and what to do. */
export function problemPage(problem: LinkProblem, isPopup: boolean, words: Words): ShownPage & { readonly status: number } {
  const { status, title, next, leadsOn } = PROBLEMS[problem];
  const body = html`<div class="mark ${status === 410 ? 'wait' : 'bad'}" aria-hidden="true">${status === 410 ? '…' : '!'}</div>
<h1>${words(title)}</h1>
<p>${words(`link.${problem}`)}</p>
<p>${words(next)}</p>
${leadsOn ? html`<a class="button" href="${connectAddress(isPopup)}">${words('link.look')}</a>` : null}`;
  return { status, title: words(title), body };
}
