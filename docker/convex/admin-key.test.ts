import { expect, test } from 'vitest';
import { gcmsiv } from '@noble/ciphers/aes.js';
import { adminKey, sealingKey } from './admin-key.ts';

const SECRET = '4361726f6c206f6e6c7920686173206f6e65207365637265742c2074686973206f6e'.slice(0, 64);

test('the cipher is that of RFC 8452 (appendix C.1, 8 bytes of plaintext)', () => {
  const key = Buffer.from('01000000000000000000000000000000', 'hex');
  const nonce = Buffer.from('030000000000000000000000', 'hex');
  const sealed = gcmsiv(key, nonce).encrypt(Buffer.from('0100000000000000', 'hex'));
  expect(Buffer.from(sealed).toString('hex')).toBe('b5d839330ac7b786578782fff6013b815b287c22493a364c');
});

test('a key opens with what is derived from the secret, and says when it was issued', () => {
  const [name, hex = ''] = adminKey('mission-control', SECRET, 1_700_000_000).split('|');
  const bytes = Buffer.from(hex, 'hex');
  expect({ name, length: hex.length, version: bytes[0] }).toEqual({
    name: 'mission-control',
    length: 74,
    version: 1,
  });
  const open = gcmsiv(sealingKey(SECRET), bytes.subarray(1, 13), Uint8Array.of(1));
  // Field 2: varint 1700000000; field 3: 0.
  expect(Buffer.from(open.decrypt(bytes.subarray(13))).toString('hex')).toBe('1080e2cfaa061800');
});

test('two keys differ, and what is no secret is refused without being shown', () => {
  expect(adminKey('a', SECRET)).not.toBe(adminKey('a', SECRET));
  expect(() => adminKey('a', 'abc')).toThrow('The instance secret is not 64 hex digits.');
});
