import DataLoader from 'dataloader';
import type { Database } from '../database/Database.js';
import { type ConnectionHealth, findHealth } from '../delivery/findHealth.js';
import { Attempt } from '../domain/Attempt.js';
import type { Authorization } from '../domain/Authorization.js';
import { Connection } from '../domain/Connection.js';
import { Credential } from '../domain/Credential.js';
import { Event } from '../domain/Event.js';
import { Subscription } from '../domain/Subscription.js';
import { findLatestAuthorizations } from '../oauth/findLatestAuthorizations.js';

/** Batches what a list's rows ask for one by one. Lives as long as one request. */
export interface Loaders {
  /** By connection id: its latest attempt. */
  readonly authorization: DataLoader<number, Authorization | null>;
  /** By connection id. */
  readonly credential: DataLoader<number, Credential | null>;
  /** By id; of the caller's organization, since the row that names the id is. */
  readonly connection: DataLoader<number, Connection | null>;
  /** By connection id. */
  readonly health: DataLoader<number, ConnectionHealth | null>;
  readonly subscription: DataLoader<number, Subscription | null>;
  readonly event: DataLoader<string, Event | null>;
  /** By delivery id: its attempts, oldest first. */
  readonly attempts: DataLoader<string, Attempt[]>;
}

export function createLoaders(database: Database): Loaders {
  const byConnection = <T extends { connectionId?: number | null }>(find: (ids: number[]) => Promise<T[]>) =>
    new DataLoader<number, T | null>(async (ids) => {
      const rows = new Map((await find([...ids])).map((row) => [row.connectionId, row]));
      return ids.map((id) => rows.get(id) ?? null);
    });
  const byId = <Id extends string | number, T extends { id: Id }>(find: (ids: Id[]) => Promise<T[]>) =>
    new DataLoader<Id, T | null>(async (ids) => {
      const rows = new Map((await find([...ids])).map((row) => [row.id, row]));
      return ids.map((id) => rows.get(id) ?? null);
    });
  return {
    authorization: byConnection((ids) => findLatestAuthorizations({ database }, ids)),
    health: byConnection((ids) => findHealth({ database }, ids)),
    credential: byConnection((ids) => database.em().find(Credential, { connectionId: { $in: ids } })),
    connection: byId((ids: number[]) => database.em().find(Connection, { id: { $in: ids } })),
    subscription: byId((ids: number[]) => database.em().find(Subscription, { id: { $in: ids } })),
    event: byId((ids: string[]) => database.em().find(Event, { id: { $in: ids } })),
    attempts: new DataLoader(async (ids) => {
      const rows = await database.em().find(Attempt, { deliveryId: { $in: [...ids] } }, { orderBy: { id: 'asc' } });
      return ids.map((id) => rows.filter(({ deliveryId }) => deliveryId === id));
    }),
  };
}
