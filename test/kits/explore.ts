/**
 * Walks all that a machine can reach, breadth first, over XState's pure transitions: no actor runs, no time passes.
 * What the surroundings do (a call that fails, a row that changes, a child that reports) are moves that the test
 * offers; what they remember is the ghost, which the machine cannot see and the invariants can.
 */
import {
  initialTransition,
  transition,
  type AnyStateMachine,
  type EventFromLogic,
  type EventObject,
  type InputFrom,
  type SnapshotFrom,
} from 'xstate';

export interface Move<TGhost> {
  label: string;
  /** What the machine hears; absent when only the surroundings change. */
  event?: EventObject;
  /** The machine begins anew, as after a restart of the process. */
  restart?: boolean;
  /** The surroundings after the move. */
  ghost: TGhost;
}

/** What a transition does to others, in order. */
export type Effect =
  | { kind: 'send'; to: string; event: EventObject & Record<string, unknown> }
  | { kind: 'spawn'; id: string; src: string; input: unknown }
  | { kind: 'stop'; id: string }
  | { kind: 'raise'; event: EventObject & Record<string, unknown>; delayMs: number };

export interface Edge<TMachine extends AnyStateMachine, TGhost> {
  /** null at the very start. */
  from: SnapshotFrom<TMachine> | null;
  to: SnapshotFrom<TMachine>;
  label: string;
  event: EventObject | null;
  effects: readonly Effect[];
  before: TGhost;
  after: TGhost;
}

export interface World<TMachine extends AnyStateMachine, TGhost> {
  machine: TMachine;
  /** What it starts with. */
  input: InputFrom<TMachine>;
  /** In place of `input`, where what it starts with depends on the surroundings. */
  inputFor?: (ghost: TGhost) => InputFrom<TMachine>;
  /** Where the surroundings may begin. */
  ghosts: readonly TGhost[];
  /** All that may happen next. */
  moves: (snapshot: SnapshotFrom<TMachine>, ghost: TGhost) => readonly Move<TGhost>[];
  /** How the surroundings change because of what the machine did. */
  react?: (edge: Omit<Edge<TMachine, TGhost>, 'before'>) => TGhost;
  /** States with the same key are one; it holds all that decides what comes next. */
  key: (snapshot: SnapshotFrom<TMachine>, ghost: TGhost) => string;
  /** The invariants: a sentence on what is wrong with this step, or null. */
  check?: (edge: Edge<TMachine, TGhost>) => string | null;
}

interface Reached<TMachine extends AnyStateMachine, TGhost> {
  snapshot: SnapshotFrom<TMachine>;
  ghost: TGhost;
  label: string;
  cameFrom: string | null;
}

export interface Exploration<TMachine extends AnyStateMachine, TGhost> {
  states: number;
  edges: number;
  /** What is wrong, and the shortest way there; null when all holds. */
  violation: { problem: string; path: string[] } | null;
  reached: ReadonlyMap<string, Reached<TMachine, TGhost>>;
}

export function explore<TMachine extends AnyStateMachine, TGhost>(
  world: World<TMachine, TGhost>,
): Exploration<TMachine, TGhost> {
  const reached = new Map<string, Reached<TMachine, TGhost>>();
  const queue: string[] = [];
  let edges = 0;
  const visit = (cameFrom: string | null, taken: () => Edge<TMachine, TGhost>, label: string) => {
    edges += 1;
    const path = () => [...pathTo(reached, cameFrom), label];
    let edge: Edge<TMachine, TGhost>;
    try {
      edge = taken();
    } catch (error) {
      return { problem: `the machine threw: ${String(error)}`, path: path() };
    }
    const problem = world.check?.(edge) ?? null;
    if (problem !== null) return { problem, path: path() };
    const key = world.key(edge.to, edge.after);
    if (!reached.has(key)) {
      reached.set(key, { snapshot: edge.to, ghost: edge.after, label, cameFrom });
      queue.push(key);
    }
    return null;
  };
  const result = (violation: Exploration<TMachine, TGhost>['violation']) => ({
    states: reached.size,
    edges,
    violation,
    reached,
  });
  for (const ghost of world.ghosts) {
    const violation = visit(null, () => begin(world, ghost, 'start'), 'start');
    if (violation !== null) return result(violation);
  }
  for (let key = queue.shift(); key !== undefined; key = queue.shift()) {
    if (reached.size > MAX_STATES)
      return result({ problem: 'the walk does not end', path: pathTo(reached, key) });
    const here = reached.get(key);
    if (here === undefined) continue;
    for (const move of movesFrom(world, here)) {
      const violation = visit(key, () => take(world, here.snapshot, here.ghost, move), move.label);
      if (violation !== null) return result(violation);
    }
  }
  return result(null);
}

/** A machine that has ended hears nothing more: only its surroundings go on, or it begins again. */
function movesFrom<TMachine extends AnyStateMachine, TGhost>(
  world: World<TMachine, TGhost>,
  { snapshot, ghost }: { snapshot: SnapshotFrom<TMachine>; ghost: TGhost },
): readonly Move<TGhost>[] {
  const moves = world.moves(snapshot, ghost);
  return isActive(snapshot) ? moves : moves.filter(({ event }) => event === undefined);
}

/** A key that holds a number without bound makes more states than any machine here has. */
const MAX_STATES = 40_000;

export interface Fairness<TMachine extends AnyStateMachine, TGhost> {
  /** The next thing that happens in the world in question; null when nothing does. */
  next: (snapshot: SnapshotFrom<TMachine>, ghost: TGhost) => Move<TGhost> | null;
  done: (snapshot: SnapshotFrom<TMachine>, ghost: TGhost) => boolean;
  /** Steps that must be enough, from anywhere. */
  limit: number;
}

/**
 * From every state that was reached: does the world in question come to the end in question?
 * @returns a way that does not, or null
 */
export function findStuck<TMachine extends AnyStateMachine, TGhost>(
  world: World<TMachine, TGhost>,
  { reached }: Exploration<TMachine, TGhost>,
  fairness: Fairness<TMachine, TGhost>,
): string[] | null {
  const settled = new Set<string>();
  for (const [key, { snapshot, ghost }] of reached) {
    const way = walkFairly(world, { snapshot, ghost }, fairness, settled);
    if (way !== null) return [...pathTo(reached, key), '-- from here --', ...way];
  }
  return null;
}

function walkFairly<TMachine extends AnyStateMachine, TGhost>(
  world: World<TMachine, TGhost>,
  start: { snapshot: SnapshotFrom<TMachine>; ghost: TGhost },
  { next, done, limit }: Fairness<TMachine, TGhost>,
  /** States that earlier walks passed on their way to the end: whatever leads to one of them ends as well. */
  settled: Set<string>,
): string[] | null {
  let { snapshot, ghost } = start;
  const way: string[] = [];
  const passed: string[] = [];
  for (let steps = 0; steps <= limit; steps += 1) {
    const key = world.key(snapshot, ghost);
    if (settled.has(key) || done(snapshot, ghost)) {
      for (const one of passed) settled.add(one);
      return null;
    }
    passed.push(key);
    const offered = next(snapshot, ghost);
    const move = offered?.event === undefined || isActive(snapshot) ? offered : null;
    if (move === null) return [...way, `nothing happens in ${JSON.stringify(seen(snapshot).value)}`];
    way.push(move.label);
    const edge = take(world, snapshot, ghost, move);
    snapshot = edge.to;
    ghost = edge.after;
  }
  return [...way, `not there after ${limit} steps`];
}

function begin<TMachine extends AnyStateMachine, TGhost>(
  world: World<TMachine, TGhost>,
  ghost: TGhost,
  label: string,
  from: SnapshotFrom<TMachine> | null = null,
): Edge<TMachine, TGhost> {
  const [to, actions] = initialTransition(world.machine, world.inputFor?.(ghost) ?? world.input);
  const edge = { from, to, label, event: null, effects: effectsOf(actions), after: ghost };
  return { ...edge, before: ghost, after: world.react?.(edge) ?? ghost };
}

function take<TMachine extends AnyStateMachine, TGhost>(
  world: World<TMachine, TGhost>,
  from: SnapshotFrom<TMachine>,
  before: TGhost,
  { label, event, restart, ghost }: Move<TGhost>,
): Edge<TMachine, TGhost> {
  if (restart === true) return begin(world, ghost, label, from);
  if (event === undefined) return { from, to: from, label, event: null, effects: [], before, after: ghost };
  const [to, actions] = transition(world.machine, from, event as EventFromLogic<TMachine>);
  const edge = { from, to, label, event, effects: effectsOf(actions), after: ghost };
  return { ...edge, before, after: world.react?.(edge) ?? ghost };
}

function pathTo(
  reached: ReadonlyMap<string, { label: string; cameFrom: string | null }>,
  key: string | null,
): string[] {
  const path: string[] = [];
  for (let at = key; at !== null;) {
    const step = reached.get(at);
    if (step === undefined) break;
    path.unshift(step.label);
    at = step.cameFrom;
  }
  return path;
}

type Params = Record<string, unknown>;

/** By its name in the whole system, where it has one. */
function nameOf(actor: unknown): string {
  const { systemId, id } = actor as { systemId?: string; id: string };
  return systemId ?? id;
}

/** XState's own actions that concern other machines. Each names the other machine as people know it. */
function effectsOf(actions: readonly { type: string; params?: unknown }[]): Effect[] {
  return actions.flatMap<Effect>(({ type, params }) => {
    const given = (params ?? {}) as Params;
    if (type === 'xstate.sendTo') {
      return [{ kind: 'send', to: nameOf(given.to), event: given.event as EventObject & Params }];
    }
    if (type === 'xstate.spawnChild') {
      return [{ kind: 'spawn', id: nameOf(given), src: String(given.src), input: given.input }];
    }
    if (type === 'xstate.stopChild')
      return [{ kind: 'stop', id: params === undefined ? '' : nameOf(params) }];
    if (type === 'xstate.raise') {
      return [
        { kind: 'raise', event: given.event as EventObject & Params, delayMs: Number(given.delay ?? 0) },
      ];
    }
    return [];
  });
}

/** What every machine's snapshot has; a generic one does not show it to TypeScript. */
const seen = (snapshot: unknown) => snapshot as { status: string; value: unknown };

const isActive = (snapshot: unknown): boolean => seen(snapshot).status === 'active';

interface Nodes {
  _nodes: readonly {
    invoke: readonly { id: string; src: unknown }[];
    after: readonly { eventType: string }[];
  }[];
}

/** The calls under way: the machine's invoked actors. */
export const callsOf = (snapshot: Nodes): { id: string; src: string }[] =>
  snapshot._nodes.flatMap((node) => node.invoke.map(({ id, src }) => ({ id, src: String(src) })));

/** The timers that run. */
export const timersOf = (snapshot: Nodes): EventObject[] =>
  snapshot._nodes.flatMap((node) =>
    [...new Set(node.after.map(({ eventType }) => eventType))].map((type) => ({ type })),
  );

export const callDone = (id: string, output: unknown): EventObject & Params => ({
  type: `xstate.done.actor.${id}`,
  output,
  actorId: id,
});

export const callFailed = (id: string, error: unknown): EventObject & Params => ({
  type: `xstate.error.actor.${id}`,
  error,
  actorId: id,
});

export const sends = (effects: readonly Effect[], type: string) =>
  effects.flatMap((effect) => (effect.kind === 'send' && effect.event.type === type ? [effect] : []));

export const spawns = (effects: readonly Effect[], src: string) =>
  effects.flatMap((effect) => (effect.kind === 'spawn' && effect.src === src ? [effect] : []));
