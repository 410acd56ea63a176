import type { InspectionEvent } from 'xstate';
import type { LaneSettled } from '../../machines/lane/context.ts';
import type { SupervisorEvent } from '../../machines/supervisor/context.ts';
import { childOf, type DeliveryOutcome } from './metric-labels.ts';
import type { Metrics } from './metrics.ts';

const COUNTED: Record<LaneSettled['outcome'], DeliveryOutcome | null> = {
  delivered: 'delivered',
  silent: 'silent',
  skipped: 'skipped',
  unanswered: 'unanswered',
  parked: 'parked',
  released: 'handedBack',
  already: 'already',
  left: 'gone',
  stuck: 'stuck',
  beaten: null,
  beatFailed: null,
};

/** Counts what arrives at the supervisor, and how delivery's jobs end. */
export function createMeasurer(
  metrics: Metrics,
  isRoot: (actor: unknown) => boolean,
): (event: InspectionEvent) => void {
  return (inspected) => {
    if (inspected.type !== '@xstate.event') return;
    const event = inspected.event as SupervisorEvent | LaneSettled;
    if (event.type === 'lane.settled') countSettled(metrics, event);
    else if (isRoot(inspected.actorRef)) countNews(metrics, event);
  };
}

function countSettled(metrics: Metrics, { outcome, note }: LaneSettled): void {
  const counted = COUNTED[outcome];
  if (counted !== null) metrics.delivery(counted);
  if (counted === 'parked' || counted === 'unanswered') metrics.parked(note ?? 'rowFailed');
}

function countNews(metrics: Metrics, event: SupervisorEvent): void {
  if (event.type === 'run.failed') metrics.delivery('failed');
  if (event.type === 'child.restart') metrics.childRestart(childOf(event.id));
  if (event.type === 'agents.synced') metrics.agents(event.agents.map(({ slug }) => slug));
}
