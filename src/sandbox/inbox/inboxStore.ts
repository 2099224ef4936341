import { Webhook } from 'standardwebhooks';
import type { HeldConnections } from '../heldConnections.js';
import { html, type SafeHtml } from '../web.js';
import type { SignatureVerdict } from './inboxRoutes.js';

/** A webhook as it arrived. */
export interface ReceivedRequest {
  /** Counts up from 1 in the order of arrival, per inbox. */
  sequence: number;
  /** ISO 8601. */
  receivedAt: string;
  method: string;
  /** Query of the address, without the question mark. */
  query: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** The first 64 KiB, as UTF-8. */
  body: string;
  /** Size of the whole body. */
  bodyBytes: number;
  signature: SignatureVerdict;
  /** The status it was answered with; null when it was not answered. */
  answered: number | null;
}

export interface Inbox {
  name: string;
  behaviour: InboxBehaviour;
  secret?: string;
  /** Everything that ever arrived, also what is no longer kept. */
  total: number;
  requests: ReceivedRequest[];
}

const MOST_INBOXES = 200;
const MOST_REQUESTS = 500;
const MOST_BYTES = 32 * 1024 * 1024;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

export const isInboxName = (name: string): boolean => NAME.test(name);

/** All inboxes. They come into being by being used; the one that was quiet longest makes room when there are too many. */
export class InboxStore {
  private inboxes = new Map<string, Inbox>();
  /** What is kept, over all inboxes, oldest first: the order in which it goes when memory is short. */
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

  /** The one used last comes first. */
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

  /** Throws when it is no Standard Webhooks secret; null takes the secret away. */
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
    // Almost always the first: requests are forgotten in the order in which they came.
    entry.inbox.requests.splice(entry.inbox.requests.indexOf(request), 1);
  }
}

export const INBOX_ANSWERS = ['ok', 'error', 'gone', 'throttle', 'redirect', 'slow', 'hang'] as const;

/** 200, 500, 410, 429, 302, 200 after a while, or nothing at all. */
export type InboxAnswer = (typeof INBOX_ANSWERS)[number];

/** How an inbox answers what it receives. */
export interface InboxBehaviour {
  answer: InboxAnswer;
  /** throttle: the Retry-After it sends. Default 5. */
  retryAfterSeconds?: number;
  /** slow: how long it waits. Default 5,000, at most ten minutes. */
  delayMs?: number;
  /** redirect: the Location it sends. Default: the inbox named `redirected`, where nothing should ever arrive. */
  location?: string;
  /** After so many requests it goes back to 200. Without it: until told otherwise. */
  times?: number;
}

const VERDICT_WORDS: Record<SignatureVerdict['verdict'], string> = {
  valid: 'signature valid',
  invalid: 'signature invalid',
  unsigned: 'not signed',
  unchecked: 'signature not checked',
};

/** One request that arrived, with everything in it: this is a sandbox, so credentials are shown too. */
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

/** What a test can see of the inboxes and make them do. An inbox need not be created: it is there once it is named. */
export interface InboxControl {
  /** Names of inboxes, the one used last first. */
  names(): string[];
  /** The newest 500 requests, in order of arrival. */
  requests(name: string): ReceivedRequest[];
  /** How many ever arrived. */
  total(name: string): number;
  /** From now on signatures are checked with this `whsec_…` secret; null: no longer. Throws when it is none. */
  setSecret(name: string, secret: string | null): void;
  setBehaviour(name: string, behaviour: InboxBehaviour): void;
  behaviour(name: string): InboxBehaviour;
  /** Forgets what arrived, in one inbox or in all. Secrets and behaviour stay. */
  clear(name?: string): void;
  /** Requests that wait for a late answer, or for none, over the whole sandbox. */
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
