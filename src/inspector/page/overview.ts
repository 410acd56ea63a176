/** What is going on, for who opens the page: what is in trouble, who works, what waits. No DOM here. */
import { toneOf, type Tone } from '../tone.ts';
import type { ActorView } from '../wire.ts';
import { count, shortId } from './format.ts';
import type { Model } from './model.ts';

/** One thing that a person can look at. */
export interface Card {
  key: string;
  tone: Tone;
  title: string;
  /** One sentence; null where the state's description says it best. */
  text: string | null;
  /** The machine and the state that are meant; null where there is none. */
  actor: ActorView | null;
  since: number | null;
  /** When something happens next by itself. */
  nextAt: number | null;
}

export interface Overview {
  /** All of it in one sentence. */
  sentence: string;
  trouble: Card[];
  works: Card[];
  waits: Card[];
  /** Notifications in the queue that nobody has begun. */
  queued: number;
}

/** Machines of which there is one for each session. */
const SESSIONS: ReadonlySet<string> = new Set(['notification', 'beat']);
const IN_TROUBLE: ReadonlySet<Tone> = new Set(['failed', 'attention', 'degraded']);

const isSession = ({ machine }: ActorView): boolean => machine !== null && SESSIONS.has(machine);

/** Its notification counts as queued though its actor is there: it waits for a slot, or rests. */
const isQueued = ({ states }: ActorView): boolean =>
  states.some((state) => /^(?:reading|deciding|planning|queueing)\b|resting$/.test(state));

/** What people call it. */
export const nameOfActor = ({ title, id }: ActorView): string => title ?? shortId(id);

export function overviewOf(model: Model): Overview {
  const actors = [...model.actors.values()];
  const sessions = actors.filter(isSession);
  const troubled = sessions.filter(({ tags }) => IN_TROUBLE.has(toneOf(tags)));
  const working = sessions.filter(({ tags }) => toneOf(tags) === 'busy');
  const waiting = sessions.filter((actor) => !troubled.includes(actor) && !working.includes(actor));
  // Where all is well nothing is in trouble: a run that failed is repeated, and what it is for waits.
  const isWell = model.status.status === 'healthy';
  const uneasy = [...machineCards(model, actors), ...troubled.map(cardOf)];
  const overview = {
    trouble: isWell ? [] : [...problemCards(model), ...uneasy],
    works: byAge(working.map(cardOf)),
    waits: byAge([...(isWell ? uneasy : []), ...waiting.map(cardOf)]),
    queued: Math.max(0, model.status.queued - sessions.filter(isQueued).length),
  };
  return { ...overview, sentence: sentenceOf(model, overview) };
}

const byAge = (cards: Card[]): Card[] => cards.sort((a, b) => (a.since ?? Infinity) - (b.since ?? Infinity));

const cardOf = (actor: ActorView): Card => ({
  key: actor.path,
  tone: toneOf(actor.tags),
  title: nameOfActor(actor),
  text: null,
  actor,
  since: actor.since,
  nextAt: actor.timers[0]?.at ?? null,
});

const problemCards = ({ status, actors }: Model): Card[] =>
  status.problems.map(({ source, problem, since, nextTryAt }) => {
    const actor = actors.get(`supervisor/${source}`) ?? null;
    return {
      key: `problem ${source}`,
      tone: status.status === 'failed' ? 'failed' : 'degraded',
      title: source,
      text: problem,
      actor,
      since,
      nextAt: nextTryAt,
    };
  });

/** A machine that is not well and has not said why. Many heartbeats fail alike: they are one card. */
function machineCards({ status }: Model, actors: readonly ActorView[]): Card[] {
  const told = new Set(status.problems.map(({ source }) => source));
  const silent = actors.filter(
    (actor) =>
      actor.machine !== null &&
      !isSession(actor) &&
      !told.has(actor.id) &&
      (IN_TROUBLE.has(toneOf(actor.tags)) || actor.status === 'error'),
  );
  const beats = silent.filter(({ machine }) => machine === 'heartbeat');
  const others = silent.filter(({ machine }) => machine !== 'heartbeat').map(cardOf);
  const [first] = beats;
  if (first === undefined || beats.length === 1) return [...others, ...beats.map(cardOf)];
  const slugs = beats.map(({ id }) => id.replace('heartbeat:', ''));
  const shown = slugs.slice(0, 5).join(', ');
  const rest = slugs.length > 5 ? ` and ${slugs.length - 5} more` : '';
  return [
    ...others,
    { ...cardOf(first), title: `${beats.length} agents`, text: `Cannot be reached: ${shown}${rest}.` },
  ];
}

function sentenceOf(
  { left, status }: Model,
  { trouble, works, waits, queued }: Omit<Overview, 'sentence'>,
): string {
  if (left !== null) return `The runtime has left: ${left.reason} (exit code ${left.exitCode}).`;
  const work = [
    works.length === 0 ? '' : `${count(works.length)} at work`,
    waits.length + queued === 0 ? '' : `${count(waits.length + queued)} waiting`,
  ].filter(Boolean);
  const activity = work.length === 0 ? 'Nothing to do right now' : work.join(', ');
  if (trouble.length > 0) {
    const things = trouble.length === 1 ? 'One thing is' : `${count(trouble.length)} things are`;
    return `${things} in trouble. ${activity}.`;
  }
  if (status.status !== 'healthy') return `${status.reason} ${activity}.`;
  return `All is well. ${activity}.`;
}
