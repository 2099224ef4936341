import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSwitchboard, type TestSwitchboard } from '../../support/startSwitchboard.js';
import { description } from './description.js';
import { factsOf, type OpenApi } from './support/factsOf.js';

let switchboard: TestSwitchboard;
let ours: Record<string, string>;
beforeAll(async () => {
  switchboard = await startSwitchboard({ ROLE: 'api' });
  ours = factsOf((await (await fetch(`${switchboard.publicUrl}/openapi.json`)).json()) as OpenApi);
});
afterAll(() => switchboard.close());

/** Returns the places in the first column of the table in docs/rest.md. A star stands for any text. */
async function listedPlaces(): Promise<string[]> {
  const lines = (await readFile('docs/rest.md', 'utf8')).split('\n');
  const rows = lines.filter((line) => /^\| `/.test(line));
  return rows.flatMap((row) => [...(row.split(' | ')[0] as string).matchAll(/`([^`]+)`/g)].map(([, place]) => place as string));
}

const matches = (pattern: string, place: string): boolean =>
  new RegExp(`^${pattern.replace(/[.*+?^${}()|[\]\\]/g, (found) => (found === '*' ? '.*' : `\\${found}`))}$`).test(place);

describe('/openapi.json and the description that REST follows', () => {
  it('differ only where docs/rest.md says so, and everywhere where it says so', async () => {
    const places = [...new Set([...Object.keys(description), ...Object.keys(ours)])];
    const differing = places.filter((place) => description[place] !== ours[place]);
    const listed = await listedPlaces();
    expect(listed.length).toBeGreaterThan(5);
    const unlisted = differing.filter((place) => !listed.some((pattern) => matches(pattern, place)));
    expect(unlisted.map((place) => ({ place, theirs: description[place], ours: ours[place] }))).toEqual([]);
    expect(listed.filter((pattern) => !differing.some((place) => matches(pattern, place)))).toEqual([]);
  });

  it('are compared in every operation, component and field', () => {
    const missing = Object.keys(description).filter((place) => ours[place] === undefined);
    expect(missing).toEqual([]);
    expect(Object.keys(description).filter((place) => /^(GET|POST|PATCH|DELETE) \/\S+$/.test(place))).toHaveLength(12);
  });
});
