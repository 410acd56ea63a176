import type { InspectionEvent } from 'xstate';
import type { SupervisorEvent } from '../../machines/supervisor/context.ts';
import type { DeliveryOutcome, Metrics } from './metrics.ts';

type Settled = Extract<SupervisorEvent, { type: 'lane.settled' }>;

const COUNTED: Record<Settled['outcome'], DeliveryOutcome | null> = {
  delivered: 'delivered',
  silent: 'delivered',
  skipped: 'delivered',
  unanswered: 'parked',
  parked: 'parked',
  released: 'released',
  already: null,
  left: null,
  stuck: 'failed',
  beaten: null,
  beatFailed: null,
};

/** Counts what arrives at the supervisor. */
export function createMeasurer(
  metrics: Metrics,
  isRoot: (actor: unknown) => boolean,
): (event: InspectionEvent) => void {
  return (inspected) => {
    if (inspected.type !== '@xstate.event' || !isRoot(inspected.actorRef)) return;
    const event = inspected.event as SupervisorEvent;
    if (event.type === 'lane.settled') {
      const outcome = COUNTED[event.outcome];
      if (outcome !== null) metrics.delivery(outcome);
      if (outcome === 'parked') metrics.parked(event.note ?? 'rowFailed');
    } else if (event.type === 'run.failed') {
      metrics.delivery('failed');
    } else if (event.type === 'child.restart') {
      // A label per agent would be an id in a label.
      metrics.childRestart(event.id.replace(/^heartbeat:.*/, 'heartbeat'));
    }
  };
}
