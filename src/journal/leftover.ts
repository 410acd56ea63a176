import * as v from 'valibot';
import type { Store } from './store.ts';

const PREFIX = 'notification:';

/** As much of an entry as tells what is still to be done. */
const Entry = v.looseObject({ reply: v.unknown(), answered: v.unknown() });

/** What an earlier process has left undone, in one sentence for the start; null when it left nothing. */
export function leftoverOf(store: Pick<Store, 'keys' | 'read'>): string | null {
  const counts = { post: 0, mark: 0, repeat: 0 };
  for (const key of store.keys().filter((one) => one.startsWith(PREFIX))) {
    const { success, output } = v.safeParse(Entry, store.read(key));
    if (success) counts[stepOf(output)] += 1;
  }
  const total = counts.post + counts.mark + counts.repeat;
  if (total === 0) return null;
  const steps = [
    ...(counts.post > 0 ? [`${count(counts.post, 'reply', 'replies')} to post`] : []),
    ...(counts.mark > 0 ? [`${count(counts.mark, 'mark', 'marks')} to set`] : []),
    ...(counts.repeat > 0 ? [`${count(counts.repeat, 'run', 'runs')} to repeat`] : []),
  ];
  const are = total === 1 ? 'is' : 'are';
  return `${count(total, 'notification', 'notifications')} of an earlier process ${are} unfinished: ${steps.join(', ')}.`;
}

function stepOf({ reply, answered }: v.InferOutput<typeof Entry>): 'post' | 'mark' | 'repeat' {
  if (reply !== null && reply !== undefined) return 'post';
  return answered !== null && answered !== undefined ? 'mark' : 'repeat';
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;
