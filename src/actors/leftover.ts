import type { Entry } from '../../machines/notification/entry.ts';
import type { Entries } from './entries.ts';

/** Says in one sentence for the start what an earlier process has left undone; null when it left nothing. */
export function leftoverOf(entries: Pick<Entries, 'unfinished' | 'read'>): string | null {
  const steps = entries.unfinished().flatMap((id) => {
    const entry = entries.read(id);
    return entry === null ? [] : [stepOf(entry)];
  });
  if (steps.length === 0) return null;
  const count = (step: Step): number => steps.filter((one) => one === step).length;
  const parts = [
    numbered(count('post'), 'reply to post', 'replies to post'),
    numbered(count('mark'), 'mark to set', 'marks to set'),
    numbered(count('repeat'), 'run to repeat', 'runs to repeat'),
  ].filter((part) => !part.startsWith('0 '));
  const subject = numbered(steps.length, 'notification', 'notifications');
  const are = steps.length === 1 ? 'is' : 'are';
  return `${subject} of an earlier process ${are} unfinished: ${parts.join(', ')}.`;
}

type Step = 'post' | 'mark' | 'repeat';

function stepOf({ reply, answered }: Entry): Step {
  if (reply !== null) return 'post';
  return answered === null ? 'repeat' : 'mark';
}

const numbered = (number: number, one: string, many: string): string =>
  `${number} ${number === 1 ? one : many}`;
