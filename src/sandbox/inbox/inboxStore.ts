import { Webhook } from 'standardwebhooks';
import type { InboxBehaviour } from './inboxBehaviour.js';
import type { SignatureVerdict } from './verifySignature.js';

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
