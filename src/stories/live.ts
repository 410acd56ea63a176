/** What the machines say at this moment about one notification: why it waits, and what comes next. */
import type { AnyActorRef } from 'xstate';
import type { Item, Session } from '../../machines/delivery/queue.ts';
import { sessionOf } from '../../machines/delivery/queue.ts';
import type { SupervisorActor } from '../../machines/supervisor/machine.ts';
import { childrenOf, snapshotOf } from '../health/children.ts';
import { sessionKeyOf } from '../health/titles.ts';
import { nextTimers } from '../health/timers.ts';
import { span } from './lines.ts';
import { openRun, phaseOf, type Phase, type Story } from './story.ts';

export interface Live {
  /** One sentence: where it stands. */
  now: string;
  next: { sentence: string; at: number | null } | null;
}

export interface LiveSources {
  root: SupervisorActor;
  /** When the gateway last sent something in the open round of a session, by its key at Convex. */
  lastSign: (sessionKey: string) => number | null;
  /** The longest that a run may take, in milliseconds; null without a gateway. */
  runLimitMs: number | null;
  now: number;
}

export function liveOf(story: Story, { root, runLimitMs, lastSign, now }: LiveSources): Live {
  const delivery = snapshotOf(root, 'delivery');
  if (delivery === null)
    return { now: 'Delivery itself is down.', next: { sentence: 'It is started again.', at: null } };
  const { queue, setAside } = delivery.context;
  const timers = nextTimers(root);
  const timerOf = (actor: AnyActorRef | undefined): number | null =>
    timers.get(actor?.sessionId ?? '') ?? null;
  const pollAt = timerOf(childrenOf(root).delivery);
  if (setAside.includes(story.id)) {
    return {
      now: 'It is left alone for a while: it is gone, not ours, or cannot be marked.',
      next: { sentence: 'It is looked at again within 10 min.', at: null },
    };
  }
  const session = sessionOf(queue, story.session);
  const head = session?.items[0];
  if (session === undefined || head === undefined || !session.items.some((item) => isOf(item, story))) {
    if (story.end !== null && story.end.outcome !== 'handedBack') return { now: 'It is over.', next: null };
    return {
      now: 'It is not in the queue of this process.',
      next: { sentence: 'The list is read again.', at: pollAt },
    };
  }
  if (!isOf(head, story)) return behind(session, story);
  const gate = gateTrouble(root, timers);
  if (session.actorId === null || phaseOf(story) === 'queueing') {
    const rest = delivery.context.outOfTokens[story.agentId];
    if (rest !== undefined) {
      return {
        now: `Its agent has used up its tokens of the day (${rest.spent.tokens}, AGENT_TOKENS_PER_DAY) and rests.`,
        next: { sentence: 'It goes on with the next UTC day.', at: endOfDay(now) },
      };
    }
    if (gate !== null) return gate;
    const ahead = aheadOf(session, queue.ready.length > 0 ? queue.ready : queue.waiting);
    return {
      now: `It waits for one of ${slots(delivery.context.settings.maxConcurrentSessions)}${ahead}.`,
      next: { sentence: 'It runs when a run before it ends.', at: null },
    };
  }
  const actor = delivery.children[session.actorId] as AnyActorRef | undefined;
  const key = actor === undefined ? null : sessionKeyOf(actor);
  return working(story, phaseOf(story), timerOf(actor), {
    runLimitMs,
    silentMs: key === null ? null : now - (lastSign(key) ?? now),
  });
}

const DAY_MS = 86_400_000;
const endOfDay = (now: number): number => (Math.floor(now / DAY_MS) + 1) * DAY_MS;

const isOf = (item: Item, { id }: Story): boolean => item.kind === 'notification' && item.row._id === id;

const slots = (count: number): string => (count === 1 ? 'one slot' : `${count} slots`);

function behind(session: Session, story: Story): Live {
  const place = session.items.findIndex((item) => isOf(item, story));
  const [head] = session.items;
  const first = head?.kind === 'beat' ? 'a heartbeat of its agent' : `notification ${head?.row._id ?? ''}`;
  const more = place > 1 ? ` and ${place - 1} more` : '';
  return {
    now: `It waits for an earlier message of its session: ${first}${more}.`,
    next: { sentence: 'It is read when they are over.', at: null },
  };
}

function aheadOf({ key }: Session, waiting: readonly Session[]): string {
  const place = waiting.findIndex((one) => one.key === key);
  return place > 0 ? `; ${place} wait longer` : '';
}

/** null while the gate is open. */
function gateTrouble(root: SupervisorActor, timers: ReadonlyMap<string, number>): Live | null {
  const { gate, conditions } = root.getSnapshot().context;
  if (root.getSnapshot().hasTag('draining')) {
    return {
      now: 'The runtime is leaving, and no new run begins.',
      next: { sentence: 'The next process lists it again.', at: null },
    };
  }
  if (gate === 'open') return null;
  const why = conditions['gateway']?.problem ?? 'The gateway takes no runs.';
  if (gate === 'trial') {
    return {
      now: `It waits for a trial run, because runs of different sessions failed alike. ${why}`,
      next: { sentence: 'One run at a time goes out until one succeeds.', at: null },
    };
  }
  return {
    now: `It waits for the gateway. ${why}`,
    next: {
      sentence: 'The gateway is asked again.',
      at: timers.get(childrenOf(root).gateway?.sessionId ?? '') ?? null,
    },
  };
}

const TRIED_AGAIN = 'It is tried again, or as soon as the other side is back.';

function working(
  story: Story,
  phase: Phase,
  timerAt: number | null,
  { runLimitMs, silentMs }: { runLimitMs: number | null; silentMs: number | null },
): Live {
  const last = story.failures.at(-1)?.sentence ?? '';
  switch (phase) {
    case 'listed':
    case 'reading':
      return {
        now: 'Its context is read from Mission Control.',
        next: { sentence: 'Then it waits for a slot.', at: null },
      };
    case 'readingRests':
      return { now: `It cannot be read: ${last}`, next: { sentence: TRIED_AGAIN, at: timerAt } };
    case 'queueing':
      return { now: 'It waits for a slot.', next: null };
    case 'running':
    case 'acting': {
      const from = openRun(story)?.from ?? null;
      const isActing = phase === 'acting';
      return {
        now: isActing
          ? 'Its agent works: a tool is called in Mission Control.'
          : `Its agent works. The last sign of the gateway was ${span(silentMs ?? 0)} ago.`,
        next:
          runLimitMs === null || from === null || isActing
            ? null
            : {
                sentence: 'The round is cut off at its limit.',
                at: (story.phases.at(-1)?.at ?? from) + runLimitMs,
              },
      };
    }
    case 'resting':
      return { now: `It rests before it runs again: ${last}`, next: { sentence: TRIED_AGAIN, at: timerAt } };
    case 'answering':
      return { now: 'Its reply is posted and the row is marked.', next: null };
    case 'answeringRests':
      return {
        now: `Its reply is there and cannot be posted or marked yet: ${last}`,
        next: { sentence: `${TRIED_AGAIN} The agent is not run again.`, at: timerAt },
      };
    case 'handingBack':
      return {
        now: 'It is handed back to Mission Control.',
        next: { sentence: 'The list brings it again.', at: null },
      };
  }
}
