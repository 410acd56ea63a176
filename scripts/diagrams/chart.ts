/** A machine as a drawing needs it: its states as a tree, and what leads from one to another. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { actionNames, eventName, guardName, type Kind } from './names.ts';

export interface Chart {
  id: string;
  root: State;
  edges: Edge[];
}

export interface State {
  /** XState's id of the state, such as `delivery.active.gate.open`. */
  id: string;
  key: string;
  description: string;
  kind: 'atomic' | 'compound' | 'parallel' | 'final';
  tags: string[];
  /** The id of the state that is entered first. */
  initial: string | null;
  entry: string[];
  exit: string[];
  /** The actors that run while the machine is in this state. */
  invokes: string[];
  /** Transitions that stay in this state, or are clearer as a line of its box than as an arrow. */
  rows: Transition[];
  children: State[];
  /** Of a closed state: the states that a sheet of its own shows. */
  inside: { id: string; key: string }[];
}

export interface Transition {
  from: string;
  /** null where the state stays as it is. */
  to: string | null;
  /** XState's event type; `always` for those that wait for nothing. */
  event: string;
  /** Which of the source's transitions for that event it is: the first whose guard holds is taken. */
  index: number;
  kind: Kind;
  /** The event as a reader knows it. */
  text: string;
  guard: string | null;
  actions: string[];
}

/** All transitions of one look between the same two states. */
export interface Edge {
  from: string;
  to: string;
  /** `message` is from one machine to another. */
  look: Exclude<Kind, 'done'> | 'message';
  transitions: Transition[];
}

/**
 * An event that leads from this many states to the same state stands in their boxes, because so many arrows would hide
 * the rest.
 */
const SHARED_BY = 4;

/** @throws Error when the machine has something that cannot be drawn: several targets, or guards without names */
export function chartOf(machine: AnyStateMachine): Chart {
  const all = [...nodesOf(machine.root)].flatMap(transitionsOf);
  const asRow = (one: Transition): boolean =>
    one.to === null || isLine(one.from, one.to) || isShared(one, all);
  const rows = Map.groupBy(all.filter(asRow), ({ from }) => from);
  return {
    id: machine.id,
    root: stateOf(machine.root, rows),
    edges: edgesOf(all.filter((one) => !asRow(one))),
  };
}

function* nodesOf(node: AnyStateNode): Generator<AnyStateNode> {
  yield node;
  for (const child of Object.values(node.states)) yield* nodesOf(child);
}

function stateOf(node: AnyStateNode, rows: ReadonlyMap<string, Transition[]>): State {
  const { id, key, description, type, tags, entry, exit, invoke, states } = node;
  if (type === 'history') throw new Error(`${id} is a history state: the drawings do not know those yet.`);
  return {
    id,
    key,
    description: description ?? '',
    kind: type,
    tags: [...tags],
    initial: type === 'compound' ? (node.initial.target[0]?.id ?? null) : null,
    entry: actionNames(entry, ''),
    exit: actionNames(exit, ''),
    invokes: invoke.map(({ src }) => (typeof src === 'string' ? src : 'an actor')),
    rows: rows.get(id) ?? [],
    children: Object.values(states).map((child) => stateOf(child, rows)),
    inside: [],
  };
}

/** `node.transitions` holds all but those that wait for nothing. */
const transitionsOf = (node: AnyStateNode): Transition[] =>
  [...node.transitions, ['', node.always ?? []] as const].flatMap(([event, candidates]) =>
    candidates.map((one, index) => transitionOf(node, event, one, index, candidates.length)),
  );

function transitionOf(
  node: AnyStateNode,
  event: string,
  { target = [], guard, actions }: AnyTransitionDefinition,
  index: number,
  candidates: number,
): Transition {
  if (target.length > 1) throw new Error(`${node.id} goes to several states at once: draw them first.`);
  const fallback = index > 0 ? 'else' : null;
  const { kind, text } = eventName(node, event);
  return {
    from: node.id,
    to: target[0]?.id ?? null,
    event: event || 'always',
    index,
    kind,
    // The order matters for transitions that wait for no event.
    text: kind === 'always' && candidates > 1 ? `${index + 1}.` : text,
    guard: guardName(node.machine, guard) ?? fallback,
    actions: actionNames(actions, event),
  };
}

/** Whether one state holds the other, or is the same. An arrow between them would cross its own border. */
const isLine = (from: string, to: string): boolean =>
  from === to || to.startsWith(`${from}.`) || from.startsWith(`${to}.`);

function isShared({ event, kind, to }: Transition, all: readonly Transition[]): boolean {
  const alike = all.filter((one) => one.event === event && one.to === to);
  return kind === 'event' && new Set(alike.map(({ from }) => from)).size >= SHARED_BY;
}

function edgesOf(transitions: readonly Transition[]): Edge[] {
  const look = (kind: Kind): Edge['look'] => (kind === 'done' ? 'event' : kind);
  const groups = Map.groupBy(transitions, ({ from, to, kind }) => [from, to, look(kind)].join(' '));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first?.to == null) return [];
    return [{ from: first.from, to: first.to, look: look(first.kind), transitions: group }];
  });
}
