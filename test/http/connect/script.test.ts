import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';

let switchboard: TestSwitchboard;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
});
afterAll(() => switchboard.close());

describe('/connect.js', () => {
  it('may be loaded by every site, and is smaller than 10 kB uncompressed', async () => {
    const answer = await fetch(`${switchboard.publicUrl}/connect.js`, { headers: { origin: 'https://shop.example' } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    const code = await answer.text();
    expect(Buffer.byteLength(code)).toBeLessThan(10_000);
    // The module has no dependency, and nothing that a policy without 'unsafe-eval' or 'unsafe-inline' refuses.
    expect(code).not.toMatch(/^\s*import\b|import\(|\beval\(|new Function|<style|style=/m);
  });

  it('can be imported without a browser, as by server-side rendering', async () => {
    const { connect } = (await import('../../../public/connect.js')) as { connect: unknown };
    expect(connect).toBeTypeOf('function');
  });

  it('is served with types that match it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'switchboard-types-'));
    const types = await (await fetch(`${switchboard.publicUrl}/connect.d.ts`)).text();
    await writeFile(join(folder, 'connect.d.ts'), types);
    const compile = (app: string) => {
      const options = [
        '--ignoreConfig',
        '--noEmit',
        '--strict',
        '--module',
        'esnext',
        '--moduleResolution',
        'bundler',
        '--target',
        'es2022',
      ];
      const libraries = ['--lib', 'es2023,dom,dom.iterable', '--types', '', '--skipLibCheck'];
      const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
      return writeFile(join(folder, 'app.ts'), app)
        .then(() => promisify(execFile)(process.execPath, [tsc, ...options, ...libraries, join(folder, 'app.ts')]))
        .then(
          () => '',
          ({ stdout }: { stdout: string }) => stdout,
        );
    };
    const app = `import { connect, type ConnectOutcome } from './connect.js';
      const { outcome, connectionId, errorCode, errorDescription }: ConnectOutcome = await connect({ token: 'ses_x' });
      const element = document.querySelector('switchboard-connect');
      element?.addEventListener('switchboard-outcome', ({ detail }) => console.log(detail.outcome === 'closed'));
      element?.addEventListener('switchboard-state', ({ detail }) => { if (detail.state === 'over' && element) element.token = 'new'; });
      export const said: string = outcome + connectionId + errorCode + errorDescription;`;
    expect(await compile(app)).toBe('');
    expect(await compile(app.replace("'closed'", "'shut'"))).toContain('TS2367');
  });
});
