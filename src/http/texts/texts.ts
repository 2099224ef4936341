import { createInstance } from 'i18next';
import Negotiator from 'negotiator';
import de from './de.json' with { type: 'json' };
import en from './en.json' with { type: 'json' };
import es from './es.json' with { type: 'json' };
import fr from './fr.json' with { type: 'json' };
import it from './it.json' with { type: 'json' };
import nl from './nl.json' with { type: 'json' };

/** The languages of our pages, the first one for whoever wants none of them. One file beside this one holds all texts of each. */
export const texts = { en, de, nl, fr, es, it } as const satisfies Record<string, Texts>;

export type Language = keyof typeof texts;
export const LANGUAGES = Object.keys(texts) as readonly Language[];

type Texts = typeof en;
type Keys<Of> = { [Key in keyof Of & string]: Of[Key] extends string ? Key : `${Key}.${Keys<Of[Key]>}` }[keyof Of & string];
/** Where a text stands in its file, such as `connect.button`. */
export type TextKey = Keys<Texts>;

/** The texts of one language. Values are put in as they are: whoever makes markup of a text escapes it. */
export interface Words {
  readonly language: Language;
  (key: TextKey, values?: Readonly<Record<string, string>>): string;
  /** The text at a key that was put together; null when there is none. */
  find(key: string): string | null;
}

const i18n = createInstance();
void i18n.init({
  resources: Object.fromEntries(Object.entries(texts).map(([language, translation]) => [language, { translation }])),
  fallbackLng: LANGUAGES[0],
  initAsync: false,
  // Names of scopes have colons.
  nsSeparator: false,
  // What a value holds is text, even where it looks like a reference to another text.
  interpolation: { escapeValue: false, skipOnVariables: true },
});

/**
 * The words for a reader: in the language that was asked for (BCP 47), else one that the browser wants (`Accept-Language`,
 * RFC 9110 12.5.4), else English.
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

/** Characters of a header that is looked at; browsers send far fewer. */
const LONGEST_HEADER = 500;

function negotiate(wanted: string | undefined): Language | undefined {
  if (!wanted) return undefined;
  const headers = { 'accept-language': wanted.slice(0, LONGEST_HEADER) };
  return new Negotiator({ headers }).language([...LANGUAGES]) as Language | undefined;
}
