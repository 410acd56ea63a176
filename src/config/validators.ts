import { isIP } from 'node:net';
import { Invalid, OutOfRange } from './errors.ts';
import { rule, type Rule } from './rule.ts';

/** A whole number in plain digits, both bounds allowed. */
export function integer(min: number, max: number): Rule<number> {
  return rule(`a whole number from ${min} to ${max}`, (text) => {
    if (!/^-?\d+$/.test(text)) throw new Invalid('not a whole number');
    const value = Number(text);
    if (value < min) throw new OutOfRange('too small', String(min));
    if (value > max) throw new OutOfRange('too large', String(max));
    return value;
  });
}

/** The nearest allowed port would belong to another program, so a wrong port is an error. */
export const port: Rule<number> = rule('a whole number from 0 to 65535', (text) => {
  const value = Number(text);
  if (!/^\d{1,6}$/.test(text) || value > 65_535) throw new Invalid('not a port');
  return value;
});

export function oneOf<const T extends string>(...choices: T[]): Rule<T> {
  return rule(`one of ${choices.join(', ')}`, (text) => {
    const choice = choices.find((candidate) => candidate === text.toLowerCase());
    if (choice === undefined) throw new Invalid('not a known choice');
    return choice;
  });
}

/** A short name that goes into reports as it is. */
export const label: Rule<string> = rule('up to 200 printable ASCII characters', (text) => {
  if (!/^[\x20-\x7e]{1,200}$/.test(text)) throw new Invalid('not a plain name');
  return text;
});

/** The id stands between underscores in the service token, so it contains none (docs/contract.md#token). */
export const accountId: Rule<string> = rule('an id without white space and underscores', (text) => {
  if (!/^[^\s_\p{C}]{1,128}$/u.test(text)) throw new Invalid('not an account id');
  return text;
});

const HOST_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

function isHostName(text: string): boolean {
  const labels = text.split('.');
  const numeric = /^\d+$/.test(labels.at(-1) ?? '');
  return text.length <= 253 && !numeric && labels.every((part) => HOST_LABEL.test(part));
}

export const host: Rule<string> = rule('an IP address or a host name, without a port', (text) => {
  if (isIP(text) === 0 && !isHostName(text)) throw new Invalid('not an address to listen on');
  return text;
});

export const path: Rule<string> = rule('a path, absolute or from the working directory', (text) => {
  if (/\p{Cc}/u.test(text)) throw new Invalid('not a path');
  return text;
});
