/** The first view: what is in trouble, who works, and what waits. No DOM here. */
import { isStall, stallSource } from '../../../machines/shared/listening.ts';
import { toneOf, type Tone } from '../tone.ts';
import type { ActorView, ProblemView, RunView } from '../wire.ts';
import { count, shortId } from './format.ts';
import type { Model } from './model.ts';

/** One thing that a person can look at. */
export interface Card {
  key: string;
  tone: Tone;
  title: string;
  /** One sentence; null where the state's description already says it. */
  text: string | null;
  /** The machine and the state that are meant; null where there is none. */
  actor: ActorView | null;
  since: number | null;
  /** When something happens next by itself. */
  nextAt: number | null;
  /** The open run; null where there is none. */
  run: RunView | null;
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

/** Its notification counts as queued although it has an actor, because it waits for a slot or rests. */
const isQueued = ({ states }: ActorView): boolean =>
  states.some((state) => /^(?:reading|deciding|planning|queueing)\b|resting$/.test(state));

/** What people call it. */
export const nameOfActor = ({ title, id }: ActorView): string => title ?? shortId(id);

export function overviewOf(model: Model): Overview {
  const actors = [...model.actors.values()];
  const sessions = actors.filter(isSession);
  const isStalled = (actor: ActorView): boolean =>
    model.status.problems.some(({ source }) => source === stallSource(sessionOf(actor)));
  // A silent run is listed as a problem, but its agent still works.
  const working = sessions.filter((actor) => toneOf(actor.tags) === 'busy' || isStalled(actor));
  const troubled = sessions.filter((actor) => IN_TROUBLE.has(toneOf(actor.tags)) && !working.includes(actor));
  const waiting = sessions.filter((actor) => !troubled.includes(actor) && !working.includes(actor));
  // While the status is healthy nothing counts as trouble: a failed run is repeated, and its notification waits.
  const isWell = model.status.status === 'healthy';
  const cardOf = cardMaker(model);
  const uneasy = [...machineCards(model, actors), ...troubled.map(cardOf)];
  const problems = problemCards(model);
  // While a problem is listed, a session rests because of it. So it counts as waiting.
  const isTrouble = ({ tone }: Card): boolean => !isWell && (problems.length === 0 || tone !== 'degraded');
  const held = troubled.map(cardOf).filter((card) => !isTrouble(card));
  const overview = {
    trouble: isWell ? [] : [...problems, ...uneasy.filter(isTrouble)],
    works: byAge(working.map(cardOf)),
    waits: byAge([...(isWell ? uneasy : held), ...waiting.map(cardOf)]),
    queued: Math.max(0, model.status.queued - sessions.filter(isQueued).length),
  };
  return { ...overview, sentence: sentenceOf(model, overview) };
}

const byAge = (cards: Card[]): Card[] => cards.sort((a, b) => (a.since ?? Infinity) - (b.since ?? Infinity));

const cardMaker =
  ({ status: { runs } }: Model) =>
  (actor: ActorView): Card => {
    const run = runs.find(({ id }) => id === actor.id) ?? null;
    return {
      key: actor.path,
      tone: toneOf(actor.tags),
      title: nameOfActor(actor),
      text: null,
      actor,
      since: actor.since,
      nextAt: actor.timers[0]?.at ?? null,
      run,
    };
  };

/** What stops everything comes before what stops one agent or one message. */
const problemCards = (model: Model): Card[] =>
  model.status.problems
    .toSorted((a, b) => Number(a.source.includes(':')) - Number(b.source.includes(':')))
    .map((problem) => problemCard(model, problem));

function problemCard({ status, actors }: Model, { source, problem, since, nextTryAt }: ProblemView): Card {
  const session = sessionMeant(source, actors);
  return {
    key: `problem ${source}`,
    tone: status.status === 'failed' ? 'failed' : isStall(source) ? 'attention' : 'degraded',
    title: titleOfProblem(source, session, actors),
    text: problem,
    actor: session ?? actors.get(`supervisor/${source}`) ?? null,
    since,
    nextAt: nextTryAt,
    run: status.runs.find(({ id }) => id === session?.id) ?? null,
  };
}

/** People know agents and tasks, not ids. */
function titleOfProblem(source: string, session: ActorView | null, actors: Model['actors']): string {
  if (session !== null) return nameOfActor(session);
  const [kind, rest = ''] = source.split(':', 2);
  if (kind === 'tokens') return `${rest} rests`;
  if (kind !== 'agent') return shortId(source);
  const ofAgent = [...actors.values()].find(
    (actor) => isSession(actor) && sessionOf(actor).startsWith(`${rest}/`),
  );
  return ofAgent?.title?.split(' · ')[0] ?? 'one agent';
}

/** The session that a problem is about: the ids of both end with the session's key. */
function sessionMeant(source: string, actors: Model['actors']): ActorView | null {
  const key = /^(?:run|session|calls|wait|alone):(.+)$/.exec(source)?.[1];
  return [...actors.values()].find((actor) => isSession(actor) && sessionOf(actor) === key) ?? null;
}

const sessionOf = ({ id }: ActorView): string => id.slice(id.indexOf(':') + 1);

/** Machines that are not well and have not said why. Heartbeats that fail alike share one card. */
function machineCards(model: Model, actors: readonly ActorView[]): Card[] {
  const { status } = model;
  const cardOf = cardMaker(model);
  const told = new Set(status.problems.map(({ source }) => source));
  const silent = actors.filter(
    (actor) =>
      actor.machine !== null &&
      // It reports its trouble as a problem of its own.
      actor.machine !== 'trouble' &&
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
