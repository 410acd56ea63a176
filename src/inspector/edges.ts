import type { AnyStateNode, AnyTransitionDefinition, InspectionEvent } from 'xstate';
import { edgeKey } from './wire.ts';

type Microstep = Extract<InspectionEvent, { type: '@xstate.microstep' }>;

/** The edges that a microstep took. */
export const edgesOf = ({ _transitions }: Pick<Microstep, '_transitions'>): string[] =>
  _transitions.map(keyOf);

const keys = new WeakMap<AnyTransitionDefinition, string>();

function keyOf(taken: AnyTransitionDefinition): string {
  const known = keys.get(taken);
  if (known !== undefined) return known;
  // XState's "any" transition is any in all its parts.
  const source = taken.source as AnyStateNode;
  const eventType = taken.eventType as string;
  const isAlways = eventType === '';
  const alternatives = isAlways ? source.always : source.transitions.get(eventType);
  const key = edgeKey(source.id, isAlways ? 'always' : eventType, alternatives?.indexOf(taken) ?? -1);
  keys.set(taken, key);
  return key;
}
