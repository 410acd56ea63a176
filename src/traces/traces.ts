import type { InspectionEvent } from 'xstate';
import type { Usage } from '../../machines/shared/tools.ts';
import type { Stories } from '../stories/observe.ts';

/**
 * One trace for each notification, and for each heartbeat (docs/traces.md). None of its functions throws or makes
 * delivery wait.
 */
export interface Traces {
  /** Looks at what the machines do, after the stories have looked at it. */
  observe: (event: InspectionEvent, stories: Pick<Stories, 'memory' | 'held'>) => void;
  /** The same actors, whose calls then belong to their spans. */
  carry: <T extends object>(actors: T) => T;
  /** W3C's header for a call that goes out now; undefined where it is made for no notification. */
  traceparent: Traceparent;
  /** The gateway has reported the tokens of the round that this is called in. */
  spent: (usage: Usage) => void;
  /** Sends what is left, for a second at most. Never rejects. */
  close: () => Promise<void>;
}

export type Traceparent = () => string | undefined;
