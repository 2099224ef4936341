import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ServerUser } from './chooseServerUser.js';
import { EXECUTE, permits } from './permits.js';

/**
 * The outermost folder on the way to `path` that `user` may not pass through, `path` itself included; undefined when
 * there is none. What does not exist yet stops nobody. Read from the modes, because root asking access(2) about
 * somebody else learns nothing. Without a user (we run PostgreSQL as ourselves) everything that got us here is reachable.
 */
export async function firstUnreachable(path: string, user: ServerUser | undefined): Promise<string | undefined> {
  if (!user) return undefined;
  const parent = dirname(path);
  const above = parent === path ? undefined : await firstUnreachable(parent, user);
  if (above !== undefined) return above;
  const stats = await stat(path).catch(() => undefined);
  return stats?.isDirectory() && !permits(stats, user, EXECUTE) ? path : undefined;
}
