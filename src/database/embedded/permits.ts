import type { Stats } from 'node:fs';
import type { ServerUser } from './chooseServerUser.js';

export const READ = 4;
export const EXECUTE = 1;

/** Whether the mode gives `user` all of `bits`. Node starts it without supplementary groups, so two ids say everything. */
export function permits(stats: Pick<Stats, 'mode' | 'uid' | 'gid'>, user: ServerUser, bits: number): boolean {
  const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0;
  return ((stats.mode >> shift) & bits) === bits;
}
