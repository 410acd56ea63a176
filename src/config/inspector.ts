import { Invalid } from './errors.ts';
import { rule, type Rule } from './rule.ts';

/** `stately` is a value that one may expect, so it gets an answer of its own. */
export const inspector: Rule<'off' | 'on'> = rule('one of off, on', (text) => {
  if (text === 'off' || text === 'on') return text;
  if (text !== 'stately') throw new Invalid('not a known choice');
  throw new Invalid(
    'left out, because the relay of @statelyai/inspect listens on all interfaces and lets everybody read',
    'set on for the inspector that comes with the runtime',
  );
});
