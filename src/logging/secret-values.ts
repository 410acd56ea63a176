/**
 * A shorter secret is not searched by its value: the gateway's default token `local`, for example, would damage
 * `localhost` and ordinary words. It is still hidden after a key or `Bearer`.
 */
const SHORTEST = 6;

/**
 * One pattern for all secrets in every spelling that a line may hold: plain, escaped by JSON (up to three times, as in a
 * body that quotes a body), encoded for an address, and in base64 of both alphabets.
 *
 * @param secrets printable text
 * @returns null when there is nothing to look for
 */
export function secretPattern(secrets: readonly string[]): RegExp | null {
  const values = new Set(secrets.flatMap((secret) => [secret, secretPartOf(secret)]));
  const spellings = [...values]
    .filter((value) => value.length >= SHORTEST && /[^*]/.test(value))
    // The longest first: one secret may begin with another.
    .sort((a, b) => b.length - a.length)
    .flatMap((value) => [literally(value), ...base64Cores(value).map(inBase64)]);
  return spellings.length === 0 ? null : new RegExp(spellings.join('|'), 'g');
}

/** The last part of a service token is the secret itself, and it may appear alone. */
const secretPartOf = (secret: string): string =>
  secret.startsWith('mc_service_') ? secret.split('_').slice(3).join('_') : '';

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

const eitherCase = (hex: string): string =>
  hex.replace(/[a-f]/gi, (d) => `[${d.toLowerCase()}${d.toUpperCase()}]`);

const hexOf = (byte: number, digits: number): string => eitherCase(byte.toString(16).padStart(digits, '0'));

/** `%2F`, and `%252F` for an address inside an address. */
const percent = (char: string): string =>
  [...Buffer.from(char)].map((byte) => `%(?:25){0,2}${hexOf(byte, 2)}`).join('');

const unicodeEscape = (char: string): string =>
  char
    .split('')
    .map((unit) => `\\\\{1,8}u${hexOf(unit.charCodeAt(0), 4)}`)
    .join('');

/** Every count has a bound, so that a long run of backslashes is walked a fixed number of times. */
function literally(secret: string): string {
  return secret.replace(/\\+|[^]/gu, (part) => {
    if (/^[A-Za-z0-9]$/.test(part)) return part;
    if (part.startsWith('\\')) return `(?:\\\\{${part.length},${part.length * 8}}|${percent(part)})`;
    // The plain spelling comes last, because a percent sign begins its own encoding.
    const spellings = [percent(part), unicodeEscape(part), escapeRegExp(part)];
    if (part === '"') spellings.push('\\\\{1,7}"');
    if (part === ' ') spellings.push('\\+');
    return `(?:${spellings.join('|')})`;
  });
}

/**
 * Base64 puts three bytes into four characters, so a secret inside a longer text (`user:secret`) has three forms, which
 * depend on where it begins. This gives the characters of each form that depend on the secret alone.
 */
function base64Cores(secret: string): string[] {
  return [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
    const first = Math.ceil((offset * 8) / 6);
    return bytes.toString('base64').slice(first, Math.floor((bytes.length * 8) / 6));
  });
}

const inBase64 = (core: string): string =>
  core.replace(/[+/]/g, (char) => (char === '+' ? '(?:[+-]|%2[bB])' : '(?:[/_]|%2[fF])'));
