/** The names of guards, delays, actions and events, as a reader of the chart wants them. */
import type { AnyStateMachine, AnyStateNode } from 'xstate';

type StateGuard = NonNullable<AnyStateNode['always']>[number]['guard'];
type StateAction = AnyStateNode['entry'][number];

/** A delay, with its length where that is a constant: `checkInterval 5 s`. */
function delayName(machine: AnyStateMachine, delay: AnyStateNode['after'][number]['delay']): string {
  if (typeof delay === 'function') throw new Error(`A delay of "${machine.id}" has no name.`);
  const length = typeof delay === 'number' ? delay : machine.implementations.delays[delay];
  const told = typeof length === 'number' ? duration(length) : '';
  return typeof delay === 'number' ? told : `${delay} ${told}`.trim();
}

const UNITS: readonly [unit: string, ms: number][] = [
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

/** In the largest unit that it is a whole number of. */
function duration(ms: number): string {
  const [unit, length] = UNITS.find(([, one]) => ms >= one && ms % one === 0) ?? ['ms', 1];
  return `${ms / length} ${unit}`;
}

/** @throws Error when the guard has no name: a drawing cannot show the source of a function */
export function guardName(machine: AnyStateMachine, guard: StateGuard): string | null {
  if (guard === undefined) return null;
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object') return guard.type;
  const known = Object.entries(machine.implementations.guards).find(([, one]) => one === guard)?.[0];
  return known ?? combined(machine, guard);
}

/** `and`, `or`, `not` and `stateIn` are functions that carry what they were made of. */
function combined(machine: AnyStateMachine, guard: { name: string }): string {
  const parts = (): string[] =>
    'guards' in guard && Array.isArray(guard.guards)
      ? guard.guards.map((one: StateGuard) => guardName(machine, one) ?? '')
      : [];
  switch (guard.name) {
    case 'and':
      return parts().join(' and ');
    case 'or':
      return `(${parts().join(' or ')})`;
    case 'not':
      return `not ${parts().join()}`;
    case 'stateIn':
      return `in ${'stateValue' in guard ? path(guard.stateValue) : ''}`;
    default:
      throw new Error(
        `A guard of the machine "${machine.id}" has no name. Give it one in setup({ guards }), so that its drawing can show it.`,
      );
  }
}

const path = (value: unknown): string =>
  typeof value === 'object' && value !== null
    ? Object.entries(value)
        .map(([key, inner]) => `${key}.${path(inner)}`)
        .join(' and ')
    : String(value);

/** `startChild health`: each action, with those of its parameters that are plain words and not the event itself. */
export function actionNames(actions: readonly StateAction[], event: string): string[] {
  const named = actions.filter((action) => !isTimers(action)).map((action) => actionName(action, event));
  const groups = Map.groupBy(named, ([name = '']) => name);
  return [...groups].map(([name, calls]) =>
    `${name} ${calls.map(([, ...words]) => words.join(' ')).join(', ')}`.trim(),
  );
}

/** XState starts and stops the timers of `after` with actions of its own. */
function isTimers(action: StateAction): boolean {
  if (typeof action !== 'function') return false;
  const id = 'id' in action ? action.id : 'sendId' in action ? action.sendId : null;
  return typeof id === 'string' && id.startsWith('xstate.after.');
}

function actionName(action: StateAction, event: string): string[] {
  if (typeof action === 'string') return [action];
  if (typeof action === 'function') return [action.name];
  return [action.type, ...wordsOf(paramsOf(action.params, event)).filter((word) => word !== event)];
}

/**
 * Functions that make parameters are pure, so they can be called with a bare event. Parameters that need more are left
 * out.
 */
function paramsOf(params: unknown, event: string): unknown {
  if (typeof params !== 'function') return params;
  try {
    return (params as (args: unknown) => unknown)({ event: { type: event }, context: {} });
  } catch {
    return undefined;
  }
}

function wordsOf(params: unknown): string[] {
  if (typeof params !== 'object' || params === null) return [];
  return Object.entries(params).flatMap(([key, value]: [string, unknown]) => {
    if (key === 'type') return [];
    // A sentence is for people, not part of the chart.
    if (typeof value === 'string') return value.includes(' ') ? [] : [value];
    if (Array.isArray(value)) return [value.filter((one) => typeof one === 'string').join(', ')];
    if (typeof value === 'object' && value !== null && 'type' in value) return [String(value.type)];
    return [];
  });
}

export type Kind = 'event' | 'timer' | 'done' | 'error' | 'always';

/** The name of what a transition waits for: the meaning of XState's own events, and the type of all others. */
export function eventName(node: AnyStateNode, event: string): { kind: Kind; text: string } {
  if (event === '') return { kind: 'always', text: '' };
  const timer = node.after.find(({ eventType }) => eventType === event);
  if (timer) return { kind: 'timer', text: delayName(node.machine, timer.delay) };
  const [, what, id = ''] = /^xstate\.(done|error)\.(?:actor|state)\.(.*)$/.exec(event) ?? [];
  if (what === undefined) return { kind: 'event', text: event };
  const kind = what === 'error' ? 'error' : 'done';
  if (id === node.id || node.invoke.some((one) => one.id === id)) return { kind, text: kind };
  if (id !== '*') return { kind, text: `${id} ${kind}` };
  return { kind, text: kind === 'error' ? 'a child crashed' : 'a child ended' };
}
