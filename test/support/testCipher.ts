import { Cipher } from '../../src/database/Cipher.js';
import { TEST_KEY } from './startSwitchboard.js';

const [id = '', key = ''] = TEST_KEY.split(':');

/** Decrypts what servers under test have encrypted. */
export const testCipher = new Cipher([{ id, key: Buffer.from(key, 'base64') }]);
