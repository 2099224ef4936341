import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import ipaddr from 'ipaddr.js';
import type { EncryptionKey } from './database/Cipher.js';
import { parseDuration, parseDurationList } from './domain/duration.js';
import { editDistance } from './events/types/eventTypeRegistry.js';

/** A wrong setting. The message is one line, to be printed before the process ends with exit code 1. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * The values of libpq's `sslmode` that the driver supports. All but `disable` use TLS, and all but `no-verify` check the server's
 * certificate and name.
 */
const SSL_MODES: readonly string[] = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * Returns typed readers for environment variables. Each throws a ConfigError that names the variable, its value, and what is
 * expected.
 */
export function readEnvironment(environment: NodeJS.ProcessEnv) {
  const refuse = (name: string, wants: string, got = environment[name]): never => {
    throw new ConfigError(`${name} got ${JSON.stringify(got)}, but wants ${wants}.`);
  };
  const known = new Set<string>();
  /** An empty variable counts as unset, as `FOO= npm start` means it. */
  const text = (name: string): string | null => {
    known.add(name);
    return environment[name]?.trim() || null;
  };
  const list = (name: string): string[] => (text(name) ?? '').split(/[\s,]+/).filter(Boolean);
  const parseUrl = (name: string, wants: string, value: string): URL =>
    URL.canParse(value) ? new URL(value) : refuse(name, wants);

  const url = (name: string, { protocols, shown }: { protocols: string[]; shown?: string }): string | null => {
    const value = text(name);
    if (value === null) return null;
    const wants = `a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) return refuse(name, wants, shown);
    return value;
  };

  /** A URL of Postgres with TLS parameters that the driver supports. It contains a password, so the error never shows it. */
  const databaseUrl = (name: string): string | null => {
    const value = url(name, { protocols: ['postgres:', 'postgresql:'], shown: '(hidden)' });
    if (value === null) return null;
    const { searchParams } = new URL(value);
    const mode = searchParams.get('sslmode');
    if (mode !== null && !SSL_MODES.includes(mode)) {
      return refuse(name, `one of ${SSL_MODES.join(', ')} for sslmode`, `…sslmode=${mode}`);
    }
    for (const parameter of ['sslrootcert', 'sslcert', 'sslkey']) {
      const path = searchParams.get(parameter);
      if (path !== null && !isReadable(path))
        return refuse(name, `a file that can be read for ${parameter}`, `…${parameter}=${path}`);
    }
    return value;
  };

  const origin = (name: string, value = text(name)): string | null => {
    if (value === null) return null;
    const wants = 'an origin such as https://app.example.com, without a path';
    const parsed = parseUrl(name, wants, value);
    if (!/^https?:$/.test(parsed.protocol) || parsed.pathname !== '/' || parsed.search || parsed.hash || parsed.username) {
      return refuse(name, wants);
    }
    return parsed.origin;
  };

  return {
    text,
    url,
    databaseUrl,
    origin: (name: string) => origin(name),
    origins: (name: string): string[] => list(name).map((value) => origin(name, value) as string),

    /** Returns variables that were not read but look like misspelled names of ones that were. Call it last. */
    misspelled(): { readonly given: string; readonly meant: string }[] {
      return Object.keys(environment).flatMap((given) => {
        const meant = known.has(given) ? undefined : [...known].find((name) => isSlip(given.toUpperCase(), name));
        return meant === undefined ? [] : [{ given, meant }];
      });
    },

    /** Words of a given form, separated by blanks or commas. */
    words(name: string, fallback: string[], { form, wants }: { form: RegExp; wants: string }): string[] {
      const words = list(name);
      if (text(name) !== null && (words.length === 0 || !words.every((word) => form.test(word)))) return refuse(name, wants);
      return words.length > 0 ? words : fallback;
    },

    /** A date in the form of Klaviyo's API revisions, with or without a suffix such as `.pre`. */
    revision(name: string, fallback: string): string {
      const value = text(name) ?? fallback;
      return /^\d{4}-\d{2}-\d{2}(\.\w+)?$/.test(value) ? value : refuse(name, 'a date such as 2026-07-15');
    },

    integer(name: string, fallback: number, { min, max }: { min: number; max: number }): number {
      const value = text(name);
      if (value === null) return fallback;
      const number = Number(value);
      if (!/^\d+$/.test(value) || number < min || number > max) return refuse(name, `a whole number from ${min} to ${max}`);
      return number;
    },

    choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
      const value = text(name) ?? fallback;
      return (choices as readonly string[]).includes(value) ? (value as T) : refuse(name, `one of ${choices.join(', ')}`);
    },

    /** A URL of an OAuth endpoint. Requests to it carry secrets, so plain http is for loopback only (RFC 6749 3.1 and 3.2). */
    providerUrl(name: string, fallback: string): string {
      const value = text(name) ?? fallback;
      const wants = 'an https URL (plain http is for loopback only)';
      const parsed = parseUrl(name, wants, value);
      const safe = parsed.protocol === 'https:' || (parsed.protocol === 'http:' && LOOPBACK.test(parsed.hostname));
      if (!safe || parsed.username || parsed.hash) return refuse(name, wants);
      return value;
    },

    durations(name: string, fallback: string): number[] {
      const wants = 'durations such as 5s,5m,2h, separated by commas';
      try {
        return parseDurationList(text(name) ?? fallback);
      } catch {
        return refuse(name, wants);
      }
    },

    duration(name: string, fallback: string): number {
      try {
        return parseDuration(text(name) ?? fallback);
      } catch {
        return refuse(name, 'a duration such as 24h, of at most 365d');
      }
    },

    cidrs(name: string): string[] {
      return list(name).map((value) =>
        ipaddr.isValidCIDR(value) ? value : refuse(name, 'CIDRs such as 127.0.0.0/8,10.1.0.0/16'),
      );
    },

    /** Text of a given form. `hidden` keeps the value out of the error message. */
    matching(name: string, form: RegExp, wants: string, hidden = false): string | null {
      const value = text(name);
      if (value === null || form.test(value)) return value;
      return hidden ? refuse(name, wants, '(hidden)') : refuse(name, wants);
    },

    /** http or https URLs without a fragment, separated by blanks or commas. */
    redirectUris(name: string): string[] {
      const wants = 'http or https URLs without a fragment, separated by commas';
      return list(name).map((value) => {
        const parsed = parseUrl(name, wants, value);
        return /^https?:$/.test(parsed.protocol) && !parsed.hash ? value : refuse(name, wants);
      });
    },

    /** A file with an image, read once; returned as a data: URL. */
    image(name: string): string | null {
      const path = text(name);
      return path === null
        ? null
        : (readImage(path) ?? refuse(name, 'the path of a PNG, JPEG, WebP, GIF or SVG of at most 64 KiB'));
    },

    /** A secret that others have to guess. */
    secret(name: string): string | null {
      const value = text(name);
      if (value === null || /^[\x21-\x7e]{16,512}$/.test(value)) return value;
      return refuse(name, '16 to 512 characters without spaces', '(hidden)');
    },

    encryptionKeys(name: string): [EncryptionKey, ...EncryptionKey[]] | null {
      if (text(name) === null) return null;
      const wants = 'id:base64 of 32 bytes, several separated by commas, each id of letters, digits, - and _ and used once';
      const keys = list(name).map((part): EncryptionKey => {
        const [id = '', encoded = ''] = part.split(/:(.*)/s);
        const key = Buffer.from(encoded, 'base64');
        if (!/^[\w-]{1,32}$/.test(id) || key.length !== 32) return refuse(name, wants, '(hidden)');
        return { id, key };
      });
      if (keys.length === 0) return refuse(name, wants, '(hidden)');
      if (new Set(keys.map(({ id }) => id)).size !== keys.length) return refuse(name, wants, '(hidden)');
      return keys as [EncryptionKey, ...EncryptionKey[]];
    },
  };
}

const MOST_IMAGE_BYTES = 64 * 1024;
/** How images begin, as text of one byte each (WHATWG MIME Sniffing 6.1; an SVG may begin with a prologue). */
const IMAGES: readonly (readonly [string, RegExp])[] = [
  ['png', /^\x89PNG\r\n/],
  ['jpeg', /^\xff\xd8\xff/],
  ['gif', /^GIF8[79]a/],
  ['webp', /^RIFF[\s\S]{4}WEBPVP/],
  ['svg+xml', /^(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*|<!--[\s\S]*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg[\s>]/i],
];

function readImage(path: string): string | null {
  if (!isReadable(path) || !statSync(path).isFile() || statSync(path).size > MOST_IMAGE_BYTES) return null;
  const bytes = readFileSync(path);
  const type = IMAGES.find(([, beginning]) => beginning.test(bytes.toString('latin1')))?.[0];
  return type === undefined ? null : `data:image/${type};base64,${bytes.toString('base64')}`;
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Returns whether two names differ by a typo: up to two wrong letters in a long name and one in a short one, or two that changed
 * places.
 */
function isSlip(given: string, name: string): boolean {
  if (Math.abs(given.length - name.length) > 2) return false;
  const letters = (text: string) => [...text].sort().join('');
  const distance = editDistance(given, name);
  return distance <= (name.length < 8 ? 1 : 2) || (distance === 2 && letters(given) === letters(name));
}
