import { createHmac, randomBytes } from 'node:crypto';
import { gcmsiv } from '@noble/ciphers/aes.js';

const VERSION = 1;

/** The key that opens admin keys: KBKDF in counter mode over HMAC-SHA256, one block. */
export const sealingKey = (secretHex: string): Buffer =>
  createHmac('sha256', Buffer.from(secretHex, 'hex'))
    .update(Buffer.from([0, 0, 0, 1]))
    .update('admin key')
    .digest()
    .subarray(0, 16);

/**
 * An admin key of a self-hosted Convex, as its own generate_admin_key.sh makes them: a small protobuf message (issued
 * at, member 0), sealed with AES-128-GCM-SIV.
 *
 * @param secretHex the instance secret, 64 hex digits
 * @param issuedAt seconds since the epoch
 * @throws Error when the secret is something else
 */
export function adminKey(
  instanceName: string,
  secretHex: string,
  issuedAt = Math.floor(Date.now() / 1_000),
  nonce: Uint8Array = randomBytes(12),
): string {
  if (!/^[0-9a-f]{64}$/i.test(secretHex)) throw new Error('The instance secret is not 64 hex digits.');
  const message = Uint8Array.from([0x10, ...varint(issuedAt), 0x18, 0x00]);
  const sealed = gcmsiv(sealingKey(secretHex), nonce, Uint8Array.of(VERSION)).encrypt(message);
  return `${instanceName}|${Buffer.concat([Uint8Array.of(VERSION), nonce, sealed]).toString('hex')}`;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}
