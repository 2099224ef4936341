import DataLoader from 'dataloader';
import type { Database } from '../database/Database.js';
import type { Authorization } from '../domain/Authorization.js';
import { Credential } from '../domain/Credential.js';
import { findLatestAuthorizations } from '../oauth/findLatestAuthorizations.js';

/** Batches what a list's rows ask for one by one. Lives as long as one request. */
export interface Loaders {
  /** By connection id: its latest attempt. */
  readonly authorization: DataLoader<number, Authorization | null>;
  /** By connection id. */
  readonly credential: DataLoader<number, Credential | null>;
}

export function createLoaders(database: Database): Loaders {
  const byConnection = <T extends { connectionId?: number | null }>(find: (ids: number[]) => Promise<T[]>) =>
    new DataLoader<number, T | null>(async (ids) => {
      const rows = new Map((await find([...ids])).map((row) => [row.connectionId, row]));
      return ids.map((id) => rows.get(id) ?? null);
    });
  return {
    authorization: byConnection((ids) => findLatestAuthorizations({ database }, ids)),
    credential: byConnection((ids) => database.em().find(Credential, { connectionId: { $in: ids } })),
  };
}
