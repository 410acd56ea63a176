import type { AnyActorRef, SnapshotFrom, StateValue } from 'xstate';
import type { machines } from '../../machines/index.ts';
import type { SupervisorActor } from '../../machines/supervisor/machine.ts';

type MachineId = Exclude<
  keyof typeof machines,
  'supervisor' | 'notification' | 'beat' | 'trouble' | 'heartbeat'
>;

/** A supervised machine as it is now; null while it is down. */
export function snapshotOf<TId extends MachineId>(
  root: SupervisorActor,
  id: TId,
): SnapshotFrom<(typeof machines)[TId]> | null {
  const actor = childrenOf(root)[id];
  if (actor === undefined) return null;
  // XState types spawned children loosely; the supervisor's startChild is what makes this true.
  return actor.getSnapshot() as SnapshotFrom<(typeof machines)[TId]>;
}

/** Every live child of an actor, by its id. */
export function childrenOf(actor: AnyActorRef): Readonly<Record<string, AnyActorRef | undefined>> {
  const snapshot: unknown = actor.getSnapshot();
  if (typeof snapshot !== 'object' || snapshot === null || !('children' in snapshot)) return {};
  return snapshot.children as Record<string, AnyActorRef | undefined>;
}

/** As much of a machine's snapshot as may be shown of any machine. */
export interface MachineView {
  value: StateValue;
  hasTag(tag: string): boolean;
}

/** null for promises and callbacks. */
export function machineSnapshot(actor: AnyActorRef): MachineView | null {
  const snapshot: unknown = actor.getSnapshot();
  return typeof snapshot === 'object' && snapshot !== null && 'machine' in snapshot
    ? (snapshot as unknown as MachineView)
    : null;
}
