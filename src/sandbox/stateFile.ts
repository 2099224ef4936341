import { readFileSync, renameSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const DEBOUNCE_MS = 250;

export interface StateFile<State> {
  /** What was saved before; undefined without a file, and when it can't be read. */
  load(): State | undefined;
  /** Saves soon, once for many changes. */
  changed(): void;
  /** Saves now what is not yet saved. */
  flush(): Promise<void>;
}

/** Keeps a JSON snapshot in a file, replaced in one step so that a crash leaves the old one or the new one. */
export function stateFile<State>(path: string, snapshot: () => State): StateFile<State> {
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    const temporary = `${path}.${process.pid}.tmp`;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, JSON.stringify(snapshot()), { mode: 0o600 });
    await rename(temporary, path);
  }

  function flush(): Promise<void> {
    if (timer === undefined) return writing;
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write).catch(() => undefined); // A full disk must not take the sandbox down.
    return writing;
  }

  return {
    load() {
      try {
        return JSON.parse(readFileSync(path, 'utf8')) as State;
      } catch (error) {
        // Put aside what can't be read, rather than overwrite what somebody may want to look at.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') renameSync(path, `${path}.unreadable`);
        return undefined;
      }
    },
    changed() {
      timer ??= setTimeout(flush, DEBOUNCE_MS).unref();
    },
    flush,
  };
}
