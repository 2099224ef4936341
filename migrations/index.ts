import { CreateConnectionsAndAuthorizations } from './0001_create_connections_and_authorizations.js';

/** Every migration, oldest first. Never edit one that was released: add the next. */
export const migrations = [
  { name: '0001_create_connections_and_authorizations', class: CreateConnectionsAndAuthorizations },
] as const;
