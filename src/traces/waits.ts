/** The waits of a notification as spans, from its story (src/stories/waits.ts says what it waited for). */
import type { Attributes } from '@opentelemetry/api';
import { within, type Span as Stretch } from '../stories/spans.ts';
import type { Stories } from '../stories/observe.ts';
import type { Story } from '../stories/story.ts';
import { waitSpansOf, type WaitedFor } from '../stories/waits.ts';

export interface Wait extends Stretch {
  attributes: Attributes;
}

/** What it waited for in a stretch of time. */
export function waitsIn(
  stretch: Stretch,
  story: Story,
  { memory, held }: Pick<Stories, 'memory' | 'held'>,
): Wait[] {
  const all = waitSpansOf(story, memory.all(), held(), stretch.to);
  return (Object.keys(all) as WaitedFor[]).flatMap((what) =>
    within(all[what], stretch).map((one) => ({
      ...one,
      attributes: {
        'mission_control.wait.for': what,
        ...(what === 'backoff' && { 'mission_control.wait.reason': story.failures.at(-1)?.sentence ?? '' }),
      },
    })),
  );
}
