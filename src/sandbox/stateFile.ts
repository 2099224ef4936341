import { readFileSync, renameSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const DEBOUNCE_MS = 250;

export interface StateFile<State> {
  /** Returns the saved state; undefined when there is no file or it cannot be read. */
  load(): State | undefined;
  /** Schedules a save. Many changes share one save. */
  changed(): void;
  /** Saves unsaved changes now. */
  flush(): Promise<void>;
}

/** Keeps a JSON snapshot in a file. Each save replaces the file in one step, so a crash leaves the old or the new one. */
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
        // An unreadable file is renamed instead of overwritten, so that a developer can inspect it.
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
