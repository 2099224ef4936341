import type { EventTypeDefinition } from '../eventTypeDefinition.js';
import type { ConnectionEventData } from './connectionEventData.js';
import { connectionEventSchema } from './connectionEventSchema.js';

type Account = { id: string; name: string | null };

export type ConnectionAccountChangedData = ConnectionEventData & {
  /** The account that the connection belongs to. */
  expected_account: Account;
  /** The one that its grant was found to lead to. */
  found_account: Account;
};

const account = (description: string) => ({
  type: 'object',
  description,
  required: ['id', 'name'],
  properties: {
    id: { type: 'string', description: "The provider's id of the account." },
    name: { type: ['string', 'null'], description: 'What the account is called there.' },
  },
});

export const connectionAccountChanged: EventTypeDefinition<ConnectionAccountChangedData> = {
  name: 'connections.account.changed',
  description:
    'A grant was found to lead to another account than its connection belongs to: it was given up, and deliveries are held until the merchant links an account again.',
  schema: connectionEventSchema('A connection whose grant leads to another account.', {
    required: ['expected_account', 'found_account'],
    properties: {
      expected_account: account('The account that the connection belongs to.'),
      found_account: account('The account that the grant was found to lead to.'),
    },
  }),
  sample: {
    connection: {
      id: '1042',
      type: 'klaviyo',
      name: 'Acme marketing',
      status: 'reauthorization_required',
      status_reason: 'The grant leads to another Klaviyo account (Acme Outlet) than the connection belongs to (Acme).',
    },
    occurred_at: '2026-07-02T04:12:45Z',
    expected_account: { id: 'AbC123', name: 'Acme' },
    found_account: { id: 'XyZ789', name: 'Acme Outlet' },
  },
  internal: true,
};
