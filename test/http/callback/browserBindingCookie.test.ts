import { describe, expect, it } from 'vitest';
import { browserBindingOptions } from '../../../src/http/callback/callbackRoute.js';

describe('The cookie that binds an authorization to its browser', () => {
  it('is Secure where the server is reached by https', () => {
    const expires = new Date();
    expect(browserBindingOptions('https://switchboard.example', expires)).toEqual({
      path: '/oauth',
      httpOnly: true,
      sameSite: 'lax',
      secure: true,
      expires,
    });
    expect(browserBindingOptions('http://localhost:4000', expires).secure).toBe(false);
  });
});
