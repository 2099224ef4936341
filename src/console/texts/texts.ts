import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import en from './en.json';

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
    returnNull: false;
  }
}

/** The languages of the console, by what each calls itself. One file beside this one holds all texts of each. */
export const LANGUAGES = {
  en: 'English',
  de: 'Deutsch',
  nl: 'Nederlands',
  fr: 'Français',
  es: 'Español',
  it: 'Italiano',
} as const;

export type Language = keyof typeof LANGUAGES;

const FILES: Readonly<Record<Exclude<Language, 'en'>, () => Promise<{ default: object }>>> = {
  de: () => import('./de.json'),
  nl: () => import('./nl.json'),
  fr: () => import('./fr.json'),
  es: () => import('./es.json'),
  it: () => import('./it.json'),
};

const STORED_AS = 'switchboard:language';

/** The language that was chosen in this browser; null when none was, or when the browser refuses to store anything. */
function chosenLanguage(): string | null {
  try {
    return localStorage.getItem(STORED_AS);
  } catch {
    return null;
  }
}

/** Begins with the language that was chosen here, else one that the browser wants, else English. */
export async function startTexts(): Promise<void> {
  await i18next.use(initReactI18next).init({
    resources: { en: { translation: en } },
    lng: 'en',
    fallbackLng: 'en',
    nsSeparator: false,
    interpolation: { escapeValue: false, skipOnVariables: true },
  });
  const wanted = [chosenLanguage(), ...navigator.languages];
  await speak(wanted.map(supported).find(Boolean) ?? 'en');
}

/** Shows everything in a language that the reader chose, from now on. */
export async function chooseLanguage(language: Language): Promise<void> {
  try {
    localStorage.setItem(STORED_AS, language);
  } catch {
    // A browser that refuses to store anything shows it until the next reload.
  }
  await speak(language);
}

/** Shows everything in the language of a session, unless the reader chose one. */
export async function suggestLanguage(locale: string): Promise<void> {
  const language = supported(locale);
  if (language && !chosenLanguage()) await speak(language);
}

async function speak(language: Language): Promise<void> {
  if (language !== 'en' && !i18next.hasResourceBundle(language, 'translation')) {
    i18next.addResourceBundle(language, 'translation', (await FILES[language]()).default);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}

function supported(locale: string | null): Language | undefined {
  const language = locale?.slice(0, 2).toLowerCase() ?? '';
  return language in LANGUAGES ? (language as Language) : undefined;
}
