/** Answers "why is my message not answered, and what happens next?" */
import { agentNames } from '../health/titles.ts';
import { snapshotOf } from '../health/children.ts';
import type { SkipReason } from '../../machines/notification/rules.ts';
import type { DeliveryContext } from '../../machines/shared/mission-control.ts';
import type { Candidate, StoryReport, WhyAnswer } from './answer.ts';
import { liveOf, type LiveSources } from './live.ts';
import type { Stories } from './observe.ts';
import { cut, type Story } from './story.ts';
import { waitsOf, type WaitedFor } from './waits.ts';

export interface WhySources extends Omit<LiveSources, 'now'> {
  stories: Stories;
  now: () => number;
  /** Reads a context: a row that nobody has read yet does not say what its message is. */
  loadContext: (notificationId: string, signal: AbortSignal) => Promise<DeliveryContext | null>;
}

const MOST_CANDIDATES = 10;
const LONGEST_QUESTION = 100;

interface Asked {
  all: Story[];
  /** The agents' slugs by their ids. */
  agents: ReadonlyMap<string, string>;
  live: LiveSources;
  stories: Stories;
}

/** @param question an id of a notification, a task or an agent, a slug, or words of a message or of a task's title */
export async function answerWhy(question: string, sources: WhySources): Promise<WhyAnswer> {
  const { stories, root, runLimitMs, lastSign, now } = sources;
  const asked: Asked = {
    all: allStories(stories, root),
    agents: agentNames(root),
    live: { root, runLimitMs, lastSign, now: now() },
    stories,
  };
  const words = plain(question).replace(/^["\u201c]|["\u201d]$/g, '');
  if (words === '') {
    return {
      kind: 'none',
      problem: 'Say which notification: give its id, a task, an agent, or some words of the message.',
    };
  }
  const answer = byName(words, asked) ?? byWords(words, asked);
  if (answer.kind !== 'none' || !stories.texts) return answer;
  await hearOfUnread(asked.all, sources);
  return byWords(words, asked);
}

/** Limits of one question: contexts in all, contexts read at a time, and milliseconds in all. */
const [MOST_READ, READ_TOGETHER, READING_MS] = [20, 5, 3_000];

/**
 * Reads the messages of rows that nobody has read yet. A message that cannot be read stays unknown, and the answer says
 * so.
 */
async function hearOfUnread(all: readonly Story[], { stories, loadContext }: WhySources): Promise<void> {
  const unread = all.filter((story) => !story.heard && !isOver(story)).slice(0, MOST_READ);
  const signal = AbortSignal.timeout(READING_MS);
  for (let i = 0; i < unread.length && !signal.aborted; i += READ_TOGETHER) {
    await Promise.allSettled(
      unread.slice(i, i + READ_TOGETHER).map(async (story) => {
        const delivery = await loadContext(story.id, signal);
        if (delivery !== null) stories.hear(story, delivery);
      }),
    );
  }
}

const plain = (text: string): string => text.replace(/[\p{Cc}\s]+/gu, ' ').trim();

/** What is remembered, and what delivery has besides. */
function allStories(stories: Stories, root: WhySources['root']): Story[] {
  const remembered = stories.memory.all();
  const known = new Set(remembered.map(({ id }) => id));
  const items = snapshotOf(root, 'delivery')?.context.queue.sessions.flatMap(({ items: some }) => some) ?? [];
  return [
    ...remembered,
    ...items.flatMap((item) =>
      item.kind === 'notification' && !known.has(item.row._id) ? [stories.storyOf(item)] : [],
    ),
  ];
}

/** By the name of one thing: a notification, a session, a task or an agent. null: it is none. */
function byName(words: string, asked: Asked): WhyAnswer | null {
  const { all, agents } = asked;
  const exact = all.find(({ id }) => id === words);
  if (exact !== undefined) return answerWith([exact], asked);
  const slug = words.replace(/^@/, '').toLowerCase();
  const named = all.filter(
    (story) =>
      story.taskId === words ||
      story.session === words ||
      story.agentId === words ||
      slugOf(story, agents) === slug,
  );
  if (named.length > 0) return answerWith(named, asked);
  const isAgent = agents.has(words) || [...agents.values()].includes(slug);
  return isAgent
    ? {
        kind: 'none',
        problem: `Nothing waits for ${slug}, and none of the last notifications was for this agent.`,
      }
    : null;
}

function byWords(words: string, asked: Asked): WhyAnswer {
  const { all } = asked;
  const query = words.toLowerCase();
  const texts = all.filter(({ text }) => text !== null && isSaid(text.toLowerCase(), query));
  const titled = all.filter(({ task }) => task?.toLowerCase().includes(query) === true);
  const tasks = new Set(titled.map(({ taskId }) => taskId));
  if (texts.length === 0 && tasks.size === 1) return answerWith(titled, asked);
  const found = [...new Set([...texts, ...titled])];
  const [only] = found;
  if (only === undefined) {
    return {
      kind: 'none',
      problem: `Nothing is known of "${cut(words, LONGEST_QUESTION)}": it is no notification, task, agent or message of the last 1,000 notifications. Ask with an id, a slug, or other words of the message's first line.`,
    };
  }
  if (found.length === 1) return answerWith([only], asked);
  return {
    kind: 'several',
    problem: `${found.length} notifications have "${cut(words, LONGEST_QUESTION)}" in their message or task. Ask for one of them by its id.`,
    candidates: inOrder(found)
      .slice(0, MOST_CANDIDATES)
      .map((story) => candidateOf(story, asked)),
  };
}

/** Only the beginning of a message is kept, so the query may be longer: somebody may have pasted the whole message. */
const isSaid = (text: string, query: string): boolean =>
  text.includes(query) || (text.endsWith('…') ? query.startsWith(text.slice(0, -1)) : query.startsWith(text));

/**
 * Notifications under way come first, the one that waits longest at the top. Then come those that have ended, the
 * latest first.
 */
const inOrder = (some: readonly Story[]): Story[] =>
  some.toSorted((a, b) =>
    isOver(a) === isOver(b)
      ? isOver(a)
        ? (b.end?.at ?? 0) - (a.end?.at ?? 0)
        : a.createdAt - b.createdAt
      : Number(isOver(a)) - Number(isOver(b)),
  );

const isOver = ({ end }: Story): boolean => end !== null && end.outcome !== 'handedBack';

function answerWith(some: readonly Story[], asked: Asked): WhyAnswer {
  const [first, ...others] = inOrder(some);
  if (first === undefined) return { kind: 'none', problem: 'Nothing is known of it.' };
  return {
    kind: 'story',
    story: reportOf(first, asked),
    others: others.slice(0, MOST_CANDIDATES).map((story) => candidateOf(story, asked)),
    more: Math.max(0, others.length - MOST_CANDIDATES),
  };
}

const slugOf = ({ agent, agentId }: Story, agents: Asked['agents']): string | null =>
  agent ?? agents.get(agentId) ?? null;

function titleOf(story: Story, { agents }: Asked): string {
  const task = story.task ?? (story.taskId === null ? 'own session' : `task …${story.taskId.slice(-6)}`);
  return `${slugOf(story, agents) ?? `agent …${story.agentId.slice(-6)}`} · ${task}`;
}

function candidateOf(story: Story, asked: Asked): Candidate {
  return {
    id: story.id,
    title: titleOf(story, asked),
    text: story.text,
    state: isOver(story) ? endingOf(story) : liveOf(story, asked.live).now,
    createdAt: timestamp(story.createdAt),
  };
}

function reportOf(story: Story, asked: Asked): StoryReport {
  const over = isOver(story);
  const live = over ? { now: endingOf(story), next: null } : liveOf(story, asked.live);
  const waited = waitsOf(story, asked.all, asked.stories.held(), asked.live.now);
  const { end, phases, runs, failures } = story;
  const { now } = asked.live;
  return {
    id: story.id,
    title: titleOf(story, asked),
    type: story.type,
    agent: { id: story.agentId, slug: slugOf(story, asked.agents) },
    task: story.taskId === null ? null : { id: story.taskId, title: story.task },
    text: story.text,
    createdAt: timestamp(story.createdAt),
    listedAt: phases[0] === undefined ? null : timestamp(phases[0].at),
    earlierRuns: story.earlierRuns,
    now: live.now,
    since: over || phases.length === 0 ? null : timestamp(phases.at(-1)?.at ?? now),
    next: live.next && {
      sentence: live.next.sentence,
      at: live.next.at === null ? null : timestamp(live.next.at),
    },
    waited: (Object.keys(waited) as WaitedFor[]).map((what) => ({ for: what, ms: waited[what] })),
    runs: runs.map(({ from, to, ...run }) => ({
      startedAt: timestamp(from),
      ms: (to ?? now) - from,
      ...run,
    })),
    failures: failures.map(({ at, ...failure }) => ({ at: timestamp(at), ...failure })),
    end:
      over && end !== null
        ? { at: timestamp(end.at), outcome: end.outcome, sentence: endingOf(story) }
        : null,
  };
}

/** What each rule says that ends a notification without a run (docs/contract.md#skip-rules). */
const SKIPPED: Readonly<Record<SkipReason, string>> = {
  taskGone: 'its task is gone',
  policy: 'this kind of update is not for its agent, or its task is done or blocked',
  stale: 'a person has written again since, and the newer message brings the agent the whole thread',
  agentGone: 'its agent is gone',
  noSession: 'Mission Control names no session for it',
};

const skippedBecause = (reason: string): string =>
  Object.entries(SKIPPED).find(([name]) => name === reason)?.[1] ?? reason;

/** How it ended, and where its reply is. */
export function endingOf({ end, task, taskId }: Story): string {
  const thread =
    taskId === null ? 'its thread' : `the thread of ${task === null ? `task ${taskId}` : `"${task}"`}`;
  const why = end?.reason == null ? '' : ` ${end.reason}`;
  if (end?.note === 'postFailed') {
    return `Given up: its reply could not be posted, and is kept (npm run replies).${why}`;
  }
  switch (end?.outcome) {
    case 'delivered':
      return `Delivered: the reply is in ${thread}.`;
    case 'silent':
      return 'Delivered: the agent had nothing to say.';
    case 'skipped':
      return `No run was needed: ${skippedBecause(end.reason ?? 'a rule says so')}.`;
    case 'chatter':
      return `Held: agents only answer each other in ${thread}. A message of a person lets them go on.`;
    case 'already':
      return 'It was marked as delivered by somebody else.';
    case 'parked':
      return `Given up. Where an answer was due, a note is in ${thread}.${why}`;
    case 'unanswered':
      return `Given up: the agent gave no reply. A note is in ${thread}.`;
    case 'gone':
      return "The row is gone, or is another account's.";
    case 'stuck':
      return `It can neither be delivered nor marked.${why}`;
    case 'handedBack':
    case undefined:
      return 'Handed back: the list brings it again.';
  }
}

const timestamp = (ms: number): string => new Date(ms).toISOString();
