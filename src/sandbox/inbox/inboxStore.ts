import { Webhook } from 'standardwebhooks';
import type { HeldConnections } from '../heldConnections.js';
import { html, type SafeHtml } from '../web.js';

/** The result of checking a request's signature with the inbox's secret. */
export interface SignatureVerdict {
  /** unchecked: the inbox has no secret. unsigned: it has one, but the request carries no signature. */
  verdict: 'valid' | 'invalid' | 'unsigned' | 'unchecked';
  reason?: string;
}

/** A received webhook request. */
export interface ReceivedRequest {
  /** Number in the order of arrival within the inbox, from 1. */
  sequence: number;
  /** ISO 8601. */
  receivedAt: string;
  method: string;
  /** Query of the URL, without the question mark. */
  query: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** The first 64 KiB, as UTF-8. */
  body: string;
  /** Size of the whole body in bytes. */
  bodyBytes: number;
  signature: SignatureVerdict;
  /** Status of the response; null when there was none. */
  answered: number | null;
}

export interface Inbox {
  name: string;
  behaviour: InboxBehaviour;
  secret?: string;
  /** Number of all received requests, including those that are no longer kept. */
  total: number;
  requests: ReceivedRequest[];
}

const MOST_INBOXES = 200;
const MOST_REQUESTS = 500;
const MOST_BYTES = 32 * 1024 * 1024;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

export const isInboxName = (name: string): boolean => NAME.test(name);

/** All inboxes. Using a name creates its inbox. When there are too many, the least recently used one is dropped. */
export class InboxStore {
  private inboxes = new Map<string, Inbox>();
  /** The kept requests of all inboxes, oldest first. The oldest ones are dropped when memory is short. */
  private kept = new Map<ReceivedRequest, { inbox: Inbox; bytes: number }>();
  private bytes = 0;

  constructor(private readonly now: () => number) {}

  open(name: string): Inbox {
    if (!isInboxName(name)) throw new RangeError('An inbox is named with up to 64 letters, digits, dots, dashes and underscores');
    const inbox = this.inboxes.get(name) ?? { name, behaviour: { answer: 'ok' }, total: 0, requests: [] };
    this.inboxes.delete(name);
    this.inboxes.set(name, inbox);
    if (this.inboxes.size > MOST_INBOXES) this.remove([...this.inboxes.values()][0] as Inbox);
    return inbox;
  }

  find(name: string): Inbox | undefined {
    return this.inboxes.get(name);
  }

  /** Returns the inboxes, most recently used first. */
  list(): Inbox[] {
    return [...this.inboxes.values()].reverse();
  }

  receive(inbox: Inbox, request: Omit<ReceivedRequest, 'sequence' | 'receivedAt'>): void {
    inbox.total += 1;
    const received = { sequence: inbox.total, receivedAt: new Date(this.now()).toISOString(), ...request };
    const bytes = 500 + request.body.length * 2 + JSON.stringify(request.headers).length * 2;
    inbox.requests.push(received);
    this.kept.set(received, { inbox, bytes });
    this.bytes += bytes;
    if (inbox.requests.length > MOST_REQUESTS && inbox.requests[0]) this.forget(inbox.requests[0]);
    for (const oldest of this.kept.keys()) {
      if (this.bytes <= MOST_BYTES) break;
      this.forget(oldest);
    }
  }

  /** Sets the secret; null removes it. Throws when it is not a Standard Webhooks secret. */
  setSecret(name: string, secret: string | null): void {
    if (secret !== null) new Webhook(secret);
    this.open(name).secret = secret ?? undefined;
  }

  clear(name?: string): void {
    for (const inbox of name === undefined ? this.list() : this.list().filter((known) => known.name === name)) {
      for (const request of [...inbox.requests]) this.forget(request);
      inbox.total = 0;
    }
  }

  private remove(inbox: Inbox): void {
    for (const request of [...inbox.requests]) this.forget(request);
    this.inboxes.delete(inbox.name);
  }

  private forget(request: ReceivedRequest): void {
    const entry = this.kept.get(request);
    if (!entry) return;
    this.kept.delete(request);
    this.bytes -= entry.bytes;
    // Almost always the first one, because requests are dropped in the order of arrival.
    entry.inbox.requests.splice(entry.inbox.requests.indexOf(request), 1);
  }
}

export const INBOX_ANSWERS = ['ok', 'error', 'gone', 'throttle', 'redirect', 'slow', 'hang'] as const;

/** 200, 500, 410, 429, 302, 200 after a delay, or no response at all. */
export type InboxAnswer = (typeof INBOX_ANSWERS)[number];

/** How an inbox responds to requests. */
export interface InboxBehaviour {
  answer: InboxAnswer;
  /** throttle: the Retry-After value. Default 5. */
  retryAfterSeconds?: number;
  /** slow: the delay in milliseconds. Default 5,000, at most ten minutes. */
  delayMs?: number;
  /** redirect: the Location. Default: the inbox named `redirected`, where no request may ever arrive. */
  location?: string;
  /** Number of requests after which the inbox responds with 200 again. Default: until it is changed. */
  times?: number;
}

const VERDICT_WORDS: Record<SignatureVerdict['verdict'], string> = {
  valid: 'signature valid',
  invalid: 'signature invalid',
  unsigned: 'not signed',
  unchecked: 'signature not checked',
};

/** Renders a received request with all its details, including credentials, because this is a sandbox. */
export const receivedRequest = (request: ReceivedRequest): SafeHtml => html`<article class="card">
<h3>${request.sequence}. ${request.method} <span class="soft">${request.receivedAt}, answered ${request.answered ?? 'not at all'}</span></h3>
<p>${verdictTag(request.signature)}${request.query && html` <code>?${request.query}</code>`}</p>
<details><summary>Headers</summary><div class="scroll"><table>${Object.entries(request.headers).map(
  ([name, value]) => html`<tr><th scope="row">${name}</th><td><code>${value}</code></td></tr>`,
)}</table></div></details>
<pre>${pretty(request.body)}</pre>
${request.bodyBytes > Buffer.byteLength(request.body) && html`<p class="soft">The beginning of ${request.bodyBytes} bytes.</p>`}
</article>`;

function verdictTag({ verdict, reason }: SignatureVerdict): SafeHtml {
  const tone = verdict === 'valid' ? 'good' : verdict === 'unchecked' ? '' : 'bad';
  return html`<span class="tag ${tone}">${VERDICT_WORDS[verdict]}</span>${reason && html` <span class="soft">${reason}</span>`}`;
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** What a test can read from the inboxes and set on them. Naming an inbox is enough to create it. */
export interface InboxControl {
  /** Returns the names of the inboxes, most recently used first. */
  names(): string[];
  /** Returns the newest 500 requests, in the order of arrival. */
  requests(name: string): ReceivedRequest[];
  /** Returns the number of all requests that ever arrived. */
  total(name: string): number;
  /** Sets the `whsec_…` secret with which signatures are checked; null ends the checks. Throws when it is not a secret. */
  setSecret(name: string, secret: string | null): void;
  setBehaviour(name: string, behaviour: InboxBehaviour): void;
  behaviour(name: string): InboxBehaviour;
  /** Deletes the received requests of one inbox or of all. Secrets and behaviour stay. */
  clear(name?: string): void;
  /** Returns the number of requests in the whole sandbox that wait for a late response or for none. */
  waiting(): number;
}

export const inboxControl = (store: InboxStore, held: HeldConnections): InboxControl => ({
  names: () => store.list().map((inbox) => inbox.name),
  requests: (name) => [...(store.find(name)?.requests ?? [])],
  total: (name) => store.find(name)?.total ?? 0,
  setSecret: (name, secret) => store.setSecret(name, secret),
  setBehaviour: (name, behaviour) => {
    store.open(name).behaviour = { ...behaviour };
  },
  behaviour: (name) => ({ ...(store.find(name)?.behaviour ?? { answer: 'ok' }) }),
  clear: (name) => store.clear(name),
  waiting: () => held.count(),
});
