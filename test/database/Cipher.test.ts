import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Cipher, keyIdOf } from '../../src/database/Cipher.js';

const one = { id: 'one', key: Buffer.alloc(32, 1) };
const two = { id: 'two', key: Buffer.alloc(32, 2) };
const cipher = new Cipher([one]);
const ROW = 'credentials:42:accessToken';

describe('An encrypted column (AES-256-GCM, NIST SP 800-38D)', () => {
  it.each(['', 'a', 'ünï¢ødé 🎉', 'x'.repeat(4_096)])('decrypts to the original text', (plaintext) => {
    const value = cipher.encrypt(plaintext, ROW);
    expect(value).toMatch(/^v1\.one\.[\w-]+$/);
    expect(cipher.decrypt(value, ROW)).toBe(plaintext);
    if (plaintext.length > 1) expect(value).not.toContain(plaintext);
  });

  it('is different every time', () => {
    const values = Array.from({ length: 1_000 }, () => cipher.encrypt('the same', ROW));
    expect(new Set(values)).toHaveLength(1_000);
  });

  it('does not decrypt in another row or column', () => {
    const value = cipher.encrypt('secret', ROW);
    for (const other of ['credentials:43:accessToken', 'credentials:42:refreshToken', '']) {
      expect(() => cipher.decrypt(value, other)).toThrow(/auth/);
    }
  });

  it('does not decrypt when a single bit is different', () => {
    const [version, id, body = ''] = cipher.encrypt('secret', ROW).split('.');
    const bytes = Buffer.from(body, 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(() => cipher.decrypt(`${version}.${id}.${changed.toString('base64url')}`, ROW)).toThrow();
    }
  });

  it.each(['', 'plain text', 'v1', 'v1.one', 'v1.one.', 'v1.one.AAAA', 'v2.one.AAAA'])(
    'does not accept %j as a ciphertext',
    (value) => {
      expect(() => cipher.decrypt(value, ROW)).toThrow();
    },
  );

  it('does not decrypt with a shortened tag', () => {
    const [version, id, body = ''] = cipher.encrypt('', ROW).split('.');
    const short = Buffer.from(body, 'base64url').subarray(0, 16).toString('base64url');
    expect(() => cipher.decrypt(`${version}.${id}.${short}`, ROW)).toThrow();
  });
});

describe('Keys can rotate', () => {
  it('the first one encrypts, all of them decrypt', () => {
    const rotated = new Cipher([two, one]);
    const old = cipher.encrypt('secret', ROW);
    expect(rotated.decrypt(old, ROW)).toBe('secret');
    const fresh = rotated.encrypt('secret', ROW);
    expect(fresh).toMatch(/^v1\.two\./);
    expect(rotated.decrypt(fresh, ROW)).toBe('secret');
    expect(new Cipher([two]).decrypt(fresh, ROW)).toBe('secret');
  });

  it('a value under an old key is re-encrypted under the first one', () => {
    const rotated = new Cipher([two, one]);
    expect(rotated.keyIds).toEqual(['two', 'one']);
    const fresh = rotated.reencrypt(cipher.encrypt('sécret', ROW), ROW);
    expect(fresh.startsWith(rotated.currentPrefix)).toBe(true);
    expect(keyIdOf(fresh)).toBe(rotated.currentKeyId);
    expect(new Cipher([two]).decrypt(fresh, ROW)).toBe('sécret');
    expect(() => rotated.reencrypt(fresh, 'credentials:43:accessToken')).toThrow(/auth/);
  });

  it.each(['', 'plain.text', 'v1.one', 'v1..AAAA', 'v1.one.AAAA.AAAA', 'v1.o ne.AAAA', 'v2.one.AAAA'])(
    '%j names no key',
    (value) => {
      expect(keyIdOf(value)).toBeNull();
    },
  );

  it('a removed key is named in the error, which contains no secret', () => {
    const old = cipher.encrypt('secret', ROW);
    expect(() => new Cipher([two]).decrypt(old, ROW)).toThrow(
      `No key with id "one" in ENCRYPTION_KEYS: add it back to read ${ROW}.`,
    );
    expect(() => new Cipher([{ ...two, id: 'one' }]).decrypt(old, ROW)).toThrow();
  });
});

describe('A fingerprint', () => {
  it('is the same for the same text, identity and key, and for no other', () => {
    const fingerprint = cipher.fingerprint('+31612345678', 'events:1:a');
    expect(fingerprint).toMatch(/^h1\.one\.[\w-]{43}$/);
    expect(new Cipher([one, two]).fingerprint('+31612345678', 'events:1:a')).toBe(fingerprint);
    const others = [
      cipher.fingerprint('+31612345679', 'events:1:a'),
      cipher.fingerprint('+31612345678', 'events:2:a'),
      new Cipher([two, one]).fingerprint('+31612345678', 'events:1:a'),
      new Cipher([{ ...two, id: 'one' }]).fingerprint('+31612345678', 'events:1:a'),
    ];
    expect(new Set([fingerprint, ...others])).toHaveLength(5);
  });

  it('cannot be computed from the text without the key', () => {
    const text = '+31612345678';
    const guesses = [text, `events:1:a\n${text}`].map((guess) => createHash('sha256').update(guess).digest('base64url'));
    for (const guess of guesses) expect(cipher.fingerprint(text, 'events:1:a')).not.toContain(guess);
  });
});
