import { Invalid } from './errors.ts';
import { rule, type Rule } from './rule.ts';

/** Some people expect the value `stately`, so it has a message of its own. */
export const inspector: Rule<'off' | 'on'> = rule('one of off, on', (text) => {
  if (text === 'off' || text === 'on') return text;
  if (text !== 'stately') throw new Invalid('not a known choice');
  throw new Invalid(
    'left out, because the relay of @statelyai/inspect listens on all interfaces and lets everybody read',
    'set on for the inspector that comes with the runtime',
  );
});
