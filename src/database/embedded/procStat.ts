import { readFile } from 'node:fs/promises';

/**
 * /proc/<pid>/stat from its third field (the state) on: the second is a name in brackets that may hold anything.
 * Undefined when there is no such process, or no /proc. See proc(5).
 */
export async function procStat(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}
