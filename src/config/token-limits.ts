import { NO_LIMITS, type TokenLimits } from '../../machines/shared/spending.ts';
import { Invalid } from './errors.ts';
import { rule, type Rule } from './rule.ts';

const NUMBER = /^\d{1,15}$/;
const SLUG = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** One number for every agent, or a map by slug such as `engineer=100000,writer=50000`. */
export const tokenLimits: Rule<string> = rule(
  'a number of tokens for every agent, or a map by slug such as engineer=100000,writer=50000',
  (text) => {
    parseTokenLimits(text);
    return text;
  },
);

/** @throws Invalid */
export function parseTokenLimits(text: string): TokenLimits {
  if (!text.includes('=')) return { ...NO_LIMITS, all: limitOf(text) };
  const pairs = text.split(',').map((pair): [string, number] => {
    const [slug = '', limit = '', ...more] = pair.split('=').map((part) => part.trim());
    if (!SLUG.test(slug) || more.length > 0) throw new Invalid('not slug=number, slug=number');
    return [slug.toLowerCase(), limitOf(limit)];
  });
  if (new Set(pairs.map(([slug]) => slug)).size < pairs.length) throw new Invalid('an agent is named twice');
  return { ...NO_LIMITS, bySlug: Object.fromEntries(pairs) };
}

function limitOf(text: string): number {
  if (!NUMBER.test(text) || Number(text) === 0) throw new Invalid('not a number of tokens');
  return Number(text);
}
