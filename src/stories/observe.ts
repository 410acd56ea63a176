/**
 * Remembers the story of each notification: from the pages of the list, the states of its machine, and what the gateway
 * sends. It only looks. If it fails, delivery goes on (src/runtime.ts wraps every observer).
 */
import type { AnyActorRef, InspectionEvent } from 'xstate';
import {
  childOutputOf,
  type DispatchContext,
  type Page,
  type PageRow,
} from '../../machines/delivery/context.ts';
import type { NotificationContext, NotificationOutput } from '../../machines/notification/context.ts';
import { actorName } from '../../machines/shared/actor-name.ts';
import type { Gate } from '../../machines/shared/evidence.ts';
import type { DeliveryContext, NotificationRow } from '../../machines/shared/mission-control.ts';
import { countCalls } from '../../machines/shared/rounds.ts';
import { statePaths } from '../health/state-paths.ts';
import { createMemory, type Memory } from './memory.ts';
import {
  beginRound,
  cut,
  endRun,
  enter,
  excerpt,
  fail,
  openRun,
  phaseOf,
  RESTS,
  type Phase,
  type Story,
} from './story.ts';
import type { GateMoves, Holds } from './waits.ts';

export interface Stories {
  observe: (event: InspectionEvent) => void;
  memory: Memory;
  /** When the gate moved, and when agents had no tokens left. */
  held(): { moves: GateMoves; holds: Holds };
  /** Makes the story of a row that delivery has and that is not remembered (any more). */
  storyOf(row: Pick<PageRow, 'row' | 'entry'>): Story;
  /** Takes what its context says. */
  hear(story: Story, delivery: DeliveryContext): void;
  /** Whether the beginning of a message is kept. */
  texts: boolean;
  /** The gateway reported tokens of a round of this session. */
  spent(sessionKey: string, usage: { inputTokens: number; outputTokens: number }): void;
}

const MOST_MOVES = 200;
const LONGEST_TITLE = 90;

/** @param texts whether the beginning of a message is kept (INSPECTOR_TEXT) */
export function createStories(options: {
  texts: boolean;
  /** Applied before a text is cut, because nobody recognises a part of a secret. */
  redact?: (text: string) => string;
  now?: () => number;
  most?: number;
}): Stories {
  const { texts, redact = (text: string) => text, now = Date.now } = options;
  const memory = createMemory(options.most);
  const moves: { gate: Gate; at: number }[] = [];
  const holds: { agentId: string; from: number; to: number | null }[] = [];
  let outOfTokens: DispatchContext['outOfTokens'] = {};
  /** Stories of runs that are open, by the key of their session at Convex. */
  const running = new Map<string, Story>();

  function newStory({ row, entry }: Pick<PageRow, 'row' | 'entry'>): Story {
    return {
      id: row._id,
      session: `${row.recipientId}/${row.taskId ?? 'system'}`,
      agentId: row.recipientId,
      taskId: row.taskId ?? null,
      type: row.type,
      createdAt: row.createdAt,
      agent: null,
      task: null,
      text: texts ? excerpt(row.body, redact) : null,
      heard: false,
      earlierRuns: entry?.runs ?? 0,
      phases: [],
      runs: [],
      failures: [],
      end: null,
    };
  }

  function known(row: NotificationRow): Story {
    const found = memory.get(row._id);
    if (found !== undefined) return found;
    const story = newStory({ row, entry: null });
    memory.add(story);
    return story;
  }

  function takePage(rows: Page['rows']): void {
    const at = now();
    for (const one of rows) {
      const story = memory.get(one.row._id) ?? newStory(one);
      if (memory.get(story.id) === undefined) memory.add(story);
      // Most lists show again what is under way.
      if (one.given !== null) hear(story, one.given);
      if (story.phases.length === 0 || story.end !== null) enter(story, 'listed', at);
    }
  }

  function learn(story: Story, context: NotificationContext): void {
    story.createdAt = context.row.createdAt;
    if (context.delivery !== null) hear(story, context.delivery);
  }

  function hear(story: Story, delivery: DeliveryContext): void {
    story.heard = true;
    story.agent = delivery.agent?.slug ?? story.agent;
    story.task = delivery.task === null ? story.task : cut(delivery.task.title, LONGEST_TITLE);
    if (texts) story.text = excerpt(delivery.message?.content ?? '', redact) ?? story.text;
  }

  function tell(context: NotificationContext, phase: Phase): void {
    const story = known(context.row);
    const before = phaseOf(story);
    const key = context.delivery?.deliverySessionKey;
    const calls = countCalls(context.entry.rounds);
    const open = openRun(story);
    if (open !== null) open.toolCalls = Math.max(open.toolCalls, calls);
    if (before === phase && story.end === null) return;
    const at = now();
    learn(story, context);
    enter(story, phase, at);
    if (phase === 'running') {
      beginRound(story, at);
      if (key !== undefined) running.set(key, story);
    } else if (phase !== 'acting') {
      const ending = endingOf(before, phase, context);
      if (open !== null && ending === 'failed' && !RESTS.includes(phase))
        fail(story, at, reasonOf(context, before));
      endRun(story, ending, at);
      if (key !== undefined) running.delete(key);
    }
    if (RESTS.includes(phase)) fail(story, at, reasonOf(context, before));
  }

  function takeEnd({ id, outcome, reason, note }: NotificationOutput): void {
    const story = memory.get(id);
    if (story === undefined) return;
    const at = now();
    endRun(story, 'cutOff', at);
    story.end = { at, outcome, reason: reason === null ? null : cut(reason, 400), note };
    for (const [key, one] of running) if (one === story) running.delete(key);
  }

  function takeGate(value: unknown): void {
    const gate = gateOf(value);
    if (gate === null || moves.at(-1)?.gate === gate) return;
    moves.push({ gate, at: now() });
    if (moves.length > MOST_MOVES) moves.shift();
  }

  function takeHolds(next: DispatchContext['outOfTokens']): void {
    if (next === outOfTokens) return;
    for (const agentId of Object.keys(next)) {
      if (outOfTokens[agentId] === undefined) holds.push({ agentId, from: now(), to: null });
    }
    for (const hold of holds) if (hold.to === null && next[hold.agentId] === undefined) hold.to = now();
    if (holds.length > MOST_MOVES) holds.shift();
    outOfTokens = next;
  }

  return {
    memory,
    texts,
    hear,
    held: () => ({ moves, holds }),
    storyOf: newStory,
    spent(sessionKey, { inputTokens, outputTokens }) {
      const story = running.get(sessionKey);
      const run = story === undefined ? null : openRun(story);
      if (run === null) return;
      const { input, output } = run.tokens ?? { input: 0, output: 0 };
      run.tokens = { input: input + inputTokens, output: output + outputTokens };
    },
    observe(event) {
      if (event.type === '@xstate.event') {
        const output = childOutputOf(event.event);
        if (output?.kind === 'notification') takeEnd(output);
        const rows = rowsOf(event.event);
        if (rows !== null) takePage(rows);
        return;
      }
      if (event.type !== '@xstate.snapshot' || !('value' in event.snapshot)) return;
      const name = actorName(event.actorRef as AnyActorRef);
      if (name === 'delivery') {
        takeGate(event.snapshot.value);
        takeHolds((event.snapshot as unknown as { context: DispatchContext }).context.outOfTokens);
      }
      if (!name.startsWith('notification:')) return;
      const { value, context } = event.snapshot as unknown as { value: string; context: NotificationContext };
      const phase = phaseIn(statePaths(value)[0] ?? '');
      if (phase !== null) tell(context, phase);
    },
  };
}

/** null: a state that it passes through, or its last one. */
function phaseIn(path: string): Phase | null {
  if (path === 'reading.resting') return 'readingRests';
  if (path.startsWith('reading') || path === 'working.refreshing') return 'reading';
  if (path.startsWith('queueing')) return 'queueing';
  if (path.startsWith('working.running')) return 'running';
  if (path.startsWith('working.acting')) return 'acting';
  if (path === 'working.resting') return 'resting';
  if (path.startsWith('answering')) return path.endsWith('resting') ? 'answeringRests' : 'answering';
  return path === 'handingBack' ? 'handingBack' : null;
}

function endingOf(
  before: Phase,
  phase: Phase,
  { rest, reply }: NotificationContext,
): 'replied' | 'failed' | 'cutOff' {
  if (phase === 'handingBack') return 'cutOff';
  if (phase === 'resting') return rest.cause === null ? 'replied' : 'failed';
  return before === 'running' && reply === null ? 'failed' : 'replied';
}

function reasonOf({ rest, result }: NotificationContext, before: Phase): string {
  if (before === 'running' && rest.cause === null) return 'The agent gave no reply, though one is due.';
  return result.reason ?? 'It failed.';
}

/** The rows of a page that arrived at delivery; null for any other event. */
export function rowsOf(event: { type: string }): Page['rows'] | null {
  if (!event.type.startsWith('xstate.done.actor.') || !('output' in event)) return null;
  const { output } = event;
  const isPage = typeof output === 'object' && output !== null && 'rows' in output && 'unseen' in output;
  return isPage ? (output as Page).rows : null;
}

function gateOf(value: unknown): Gate | null {
  const gate = (value as { active?: { gate?: string } }).active?.gate;
  return gate === 'open' || gate === 'trial' || gate === 'closed' ? gate : null;
}
