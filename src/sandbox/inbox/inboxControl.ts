import type { HeldConnections } from '../heldConnections.js';
import type { InboxBehaviour } from './inboxBehaviour.js';
import type { InboxStore, ReceivedRequest } from './inboxStore.js';

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
