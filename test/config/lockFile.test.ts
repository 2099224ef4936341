import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

const ROOT = new URL('../../', import.meta.url);
const read = async (name: string) => JSON.parse(await readFile(new URL(name, ROOT), 'utf8'));

interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
  readonly link?: boolean;
}

describe('package-lock.json', () => {
  it('has the hash of every package, for every platform', async () => {
    const { packages } = (await read('package-lock.json')) as { packages: Record<string, LockedPackage> };
    // Paths outside of node_modules, and links in it, are our own packages.
    const installed = Object.entries(packages).filter(([path, { link }]) => path.includes('node_modules/') && !link);
    expect(installed.length).toBeGreaterThan(300);
    expect(installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-')).map(([path]) => path)).toEqual([]);
  });

  it('has one version of Node on every platform for which npm has it: the running one', async () => {
    const { optionalDependencies } = (await read('package.json')) as { optionalDependencies: Record<string, string> };
    const nodes = Object.entries(optionalDependencies).filter(([name]) => name.startsWith('node-'));
    expect(nodes.length).toBeGreaterThan(2);
    expect(new Set(nodes.map(([, version]) => version))).toEqual(new Set([process.versions.node]));
  });
});
