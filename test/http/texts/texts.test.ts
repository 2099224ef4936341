import { describe, expect, it } from 'vitest';
import type { Language } from '../../../src/http/texts/texts.js';
import { LANGUAGES, texts, wordsFor } from '../../../src/http/texts/texts.js';
import { klaviyoScopes } from '../../../src/klaviyo/klaviyoScopes.js';
import { explainOutcome, reasonOf } from '../../../src/oauth/explainOutcome.js';

type Tree = { readonly [key: string]: string | Tree };
const entries = (tree: Tree, path = ''): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' ? [[`${path}${key}`, value]] : entries(value, `${path}${key}.`),
  );
const values = (text: string) => [...text.matchAll(/\{\{\w+\}\}/g)].map(([value]) => value).sort();
const english = new Map(entries(texts.en));

it('The languages are English, German, Dutch, French, Spanish and Italian', () => {
  expect(LANGUAGES).toEqual(['en', 'de', 'nl', 'fr', 'es', 'it']);
});

describe.each(LANGUAGES)('The texts in %s', (language: Language) => {
  const own = new Map(entries(texts[language]));

  it('are complete, with the same keys as in English in the same order', () => {
    expect([...own.keys()]).toEqual([...english.keys()]);
  });

  it('have the same placeholders as in English, and are neither empty nor markup', () => {
    for (const [key, text] of own) {
      expect(values(text), key).toEqual(values(english.get(key) as string));
      expect(text.trim(), key).toBe(text);
      expect(text, key).toMatch(/\S/);
      expect(text, key).not.toMatch(/[<>]|\$t\(/);
    }
  });

  it('are translated', () => {
    const same = [...own].filter(
      ([key, text]) => language !== 'en' && text === english.get(key) && !key.startsWith('resources.'),
    );
    expect(same.map(([key]) => key).filter((key) => key !== 'connect.app')).toEqual([]);
  });

  it('describe every scope', () => {
    const words = wordsFor(language);
    for (const { name, resource } of klaviyoScopes) expect(words.find(`resources.${resource}`), name).not.toBeNull();
  });
});

it('The texts have a sentence for every outcome reason', () => {
  const words = wordsFor('en');
  for (const reason of Object.keys(texts.en.reasons) as (keyof typeof texts.en.reasons)[]) {
    const outcome = { status: 'failed', errorCode: reason } as const;
    expect(reasonOf(outcome)).toBe(reason);
    expect(words(`reasons.${reason}`, { name: 'Klaviyo' })).toBe(explainOutcome(outcome, 'Klaviyo'));
  }
});

describe('The language of a reader', () => {
  it.each([
    ['nl-NL', undefined, 'nl'],
    ['de-CH-1996', 'fr', 'de'],
    ['pt-BR', 'fr-CA, fr;q=0.9', 'fr'],
    ['pt-BR', undefined, 'en'],
    [null, 'sv, es;q=0.8, it;q=0.9', 'it'],
    [null, 'de;q=0, nl;q=0.1', 'nl'],
    [null, '*', 'en'],
    [null, '', 'en'],
    [null, ';;q=,,\u0000"><script>', 'en'],
    [null, `${'xx,'.repeat(5_000)}de`, 'en'],
    ['__proto__', 'constructor', 'en'],
  ])("is the requested one, else the browser's, else English (%#)", (locale, header, language) => {
    expect(wordsFor(locale, header).language).toBe(language);
  });
});

it('A value is shown as it is, even when it looks like a text key or a placeholder', () => {
  const organization = '$t(connect.back) {{app}} <b>&amp;</b>';
  const shown = wordsFor('en')('connect.what', { app: 'App', provider: 'Klaviyo', organization });
  expect(shown).toBe(`App would like to connect ${organization} with your Klaviyo account.`);
});

it('An unknown key finds no text', () => {
  for (const key of ['', 'connect', '__proto__', 'scopes.constructor', 'resources.nothing'])
    expect(wordsFor('en').find(key), key).toBeNull();
});
