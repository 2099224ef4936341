import { createInstance } from 'i18next';
import Negotiator from 'negotiator';
import de from './de.json' with { type: 'json' };
import en from './en.json' with { type: 'json' };
import es from './es.json' with { type: 'json' };
import fr from './fr.json' with { type: 'json' };
import it from './it.json' with { type: 'json' };
import nl from './nl.json' with { type: 'json' };

/**
 * The languages of our pages. The first is used when the reader accepts none of them. Each has one file with all its texts,
 * next to this one.
 */
export const texts = { en, de, nl, fr, es, it } as const satisfies Record<string, Texts>;

export type Language = keyof typeof texts;
export const LANGUAGES = Object.keys(texts) as readonly Language[];

type Texts = typeof en;
type Keys<Of> = { [Key in keyof Of & string]: Of[Key] extends string ? Key : `${Key}.${Keys<Of[Key]>}` }[keyof Of & string];
/** The key of a text in its file, such as `connect.button`. */
export type TextKey = Keys<Texts>;

/** The texts of one language. Values are inserted without escaping: whoever makes markup of a text escapes it. */
export interface Words {
  readonly language: Language;
  (key: TextKey, values?: Readonly<Record<string, string>>): string;
  /** Returns the text at a computed key. Null when there is none. */
  find(key: string): string | null;
}

const i18n = createInstance();
void i18n.init({
  resources: Object.fromEntries(Object.entries(texts).map(([language, translation]) => [language, { translation }])),
  fallbackLng: LANGUAGES[0],
  initAsync: false,
  // Names of scopes contain colons.
  nsSeparator: false,
  // A value is plain text, even when it looks like a reference to another text.
  interpolation: { escapeValue: false, skipOnVariables: true },
});

/**
 * Returns the texts for a reader: in the requested language (BCP 47), else in one that the browser accepts
 * (`Accept-Language`, RFC 9110 12.5.4), else in English.
 */
export function wordsFor(locale: string | null | undefined, acceptLanguage?: string): Words {
  const language = negotiate(locale ?? undefined) ?? negotiate(acceptLanguage) ?? (LANGUAGES[0] as Language);
  const t = i18n.getFixedT(language);
  const words = (key: TextKey, values: Readonly<Record<string, string>> = {}): string => t(key, values);
  return Object.assign(words, {
    language,
    find: (key: string) => lookUp(texts[language], key.split('.')),
  });
}

function lookUp(tree: unknown, [key, ...rest]: readonly string[]): string | null {
  if (key === undefined) return typeof tree === 'string' ? tree : null;
  if (typeof tree !== 'object' || tree === null || !Object.hasOwn(tree, key)) return null;
  return lookUp((tree as Record<string, unknown>)[key], rest);
}

/** Characters of the header that are read. Browsers send far fewer. */
const LONGEST_HEADER = 500;

function negotiate(wanted: string | undefined): Language | undefined {
  if (!wanted) return undefined;
  const headers = { 'accept-language': wanted.slice(0, LONGEST_HEADER) };
  return new Negotiator({ headers }).language([...LANGUAGES]) as Language | undefined;
}
