import { readFile } from 'node:fs/promises';

/** Whom PostgreSQL runs as, when that is not simply ourselves. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root, so root has to pick somebody else: the owner of an existing cluster, else
 * `postgres`, else `nobody`. Returns undefined for everybody who isn't root: they run it as themselves.
 */
export async function chooseServerUser(owner?: { uid: number; gid: number }): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = await readUsers();
  if (owner && owner.uid !== 0) {
    return users.find((user) => user.uid === owner.uid) ?? { name: `#${owner.uid}`, uid: owner.uid, gid: owner.gid };
  }
  for (const name of ['postgres', 'nobody']) {
    const user = users.find((candidate) => candidate.name === name && candidate.uid !== 0);
    if (user) return user;
  }
  throw new Error(
    'The built-in PostgreSQL cannot run as root, and /etc/passwd has neither "postgres" nor "nobody" to run it as. ' +
      'Start as an ordinary user, or set DATABASE_URL.',
  );
}

/** initdb looks its user up by name, so only users that are really listed will do. */
async function readUsers(): Promise<ServerUser[]> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  return lines.flatMap((line) => {
    const [name = '', , uid = '', gid = ''] = line.split(':');
    return name !== '' && /^\d+$/.test(uid) && /^\d+$/.test(gid) ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}
