import { useSubscription } from 'urql';
import { useAccess } from './access/Access.js';
import { graphql } from './graphql/gql.js';

const CONNECTION_UPDATED = graphql(`
  subscription WatchConnections { connectionUpdated { ...ConnectionRow } }
`);

const CONNECTION_DELETED = graphql(`
  subscription WatchDeletedConnections { connectionDeleted { deletedId } }
`);

const SUBSCRIPTION_DELETED = graphql(`
  subscription WatchDeletedSubscriptions { subscriptionDeleted { deletedId connectionId } }
`);

/** Hears of every change of a connection, whoever made it. The cache shows it wherever the connection is. */
export function LiveUpdates() {
  const { session } = useAccess();
  // A session that may only connect hears of its connection alone.
  const isPaused = session !== null && !session.permissions.some((permission) => permission !== 'CONNECT');
  useSubscription({ query: CONNECTION_UPDATED, pause: isPaused });
  useSubscription({ query: CONNECTION_DELETED, pause: isPaused });
  useSubscription({ query: SUBSCRIPTION_DELETED, pause: isPaused });
  return null;
}
