import type { SpawnOptions } from 'node:child_process';
import type { ServerUser } from './chooseServerUser.js';

/** How every program of PostgreSQL is started. */
export function serverSpawnOptions(user: ServerUser | undefined): SpawnOptions {
  const windows = process.platform === 'win32';
  return {
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
    // Out of the terminal's process group: Ctrl-C shall reach us first, who then close things in order.
    detached: true,
    windowsHide: true,
    // Our own folder may be closed to the server's user.
    cwd: windows ? undefined : '/',
    // Not our environment: secrets don't belong in another user's process, and PG* or LD_* variables would interfere.
    env: windows
      ? { SystemRoot: process.env.SystemRoot, PATH: process.env.PATH, TEMP: process.env.TEMP, LC_ALL: 'C' }
      : { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
  };
}
