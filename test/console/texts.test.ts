import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

type Tree = { readonly [key: string]: string | Tree };
const FOLDER = fileURLToPath(new URL('../../src/console/texts/', import.meta.url));
const LANGUAGES = ['de', 'en', 'es', 'fr', 'it', 'nl'];
const read = (language: string): Tree => JSON.parse(readFileSync(`${FOLDER}${language}.json`, 'utf8'));
const entries = (tree: Tree, path = ''): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' ? [[`${path}${key}`, value]] : entries(value, `${path}${key}.`),
  );
const values = (text: string) => [...text.matchAll(/\{\{\w+\}\}/g)].map(([value]) => value).sort();
const english = new Map(entries(read('en')));

/** Words that are the same in several languages. */
const SHARED = /^(connections\.types\.|menu\.events$|.*(JSON|OAuth))/;

it('The console speaks English, German, Dutch, French, Spanish and Italian', () => {
  expect(readdirSync(FOLDER).filter((name) => name.endsWith('.json'))).toEqual(LANGUAGES.map((language) => `${language}.json`));
});

describe.each(LANGUAGES)('The texts of the console in %s', (language) => {
  const own = new Map(entries(read(language)));

  it('are those that English has, none missing, none more, in the same order', () => {
    expect([...own.keys()]).toEqual([...english.keys()]);
  });

  it('name what English names, and nothing is empty or has markup', () => {
    for (const [key, text] of own) {
      expect(values(text), key).toEqual(values(english.get(key) as string));
      expect(text.trim(), key).toBe(text);
      expect(text, key).toMatch(/\S/);
      expect(text, key).not.toMatch(/[<>]|\$t\(/);
    }
  });

  it('are translated', () => {
    const same = [...own].filter(([key, text]) => language !== 'en' && text === english.get(key) && !SHARED.test(key));
    expect(same).toEqual([]);
  });
});

it('Every text is used', () => {
  const sources = readdirSync(`${FOLDER}..`, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.startsWith('graphql'))
    .map((name) => readFileSync(`${FOLDER}../${name}`, 'utf8'))
    .join('\n');
  // What is put together begins with a text's path up to the last dot before the value.
  const used = new Set([...sources.matchAll(/[`'"]([a-zA-Z]+(?:\.[\w$]+)*)(?:\.\$\{[^`]*)?[`'"]/g)].map(([, key]) => key));
  const isUsed = (key: string) => {
    const parts = key.replace(/_(one|other)$/, '').split('.');
    return parts.some((_, index) => used.has(parts.slice(0, parts.length - index).join('.')));
  };
  expect([...english.keys()].filter((key) => !isUsed(key))).toEqual([]);
});
