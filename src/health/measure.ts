import type { InspectionEvent } from 'xstate';
import { childOutputOf, type ChildOutput } from '../../machines/delivery/context.ts';
import type { SupervisorEvent } from '../../machines/supervisor/context.ts';
import { childOf, type DeliveryOutcome } from './metric-labels.ts';
import type { Metrics } from './metrics.ts';

const COUNTED: Record<ChildOutput['outcome'], DeliveryOutcome | null> = {
  delivered: 'delivered',
  silent: 'silent',
  skipped: 'skipped',
  chatter: 'chatter',
  unanswered: 'unanswered',
  parked: 'parked',
  handedBack: 'handedBack',
  already: 'already',
  gone: 'gone',
  stuck: 'stuck',
  beaten: null,
  beatFailed: null,
};

/** Counts what arrives at the supervisor, and how delivery's children end. */
export function createMeasurer(
  metrics: Metrics,
  isRoot: (actor: unknown) => boolean,
): (event: InspectionEvent) => void {
  return (inspected) => {
    if (inspected.type !== '@xstate.event') return;
    const output = childOutputOf(inspected.event);
    if (output !== null) countSettled(metrics, output);
    else if (isRoot(inspected.actorRef)) countNews(metrics, inspected.event as SupervisorEvent);
  };
}

function countSettled(metrics: Metrics, output: ChildOutput): void {
  const counted = COUNTED[output.outcome];
  const note = output.kind === 'notification' ? output.note : null;
  if (counted !== null) metrics.delivery(counted);
  if (counted === 'parked' || counted === 'unanswered') metrics.parked(note ?? 'attemptsSpent');
}

function countNews(metrics: Metrics, event: SupervisorEvent): void {
  if (event.type === 'run.failed') metrics.delivery('failed');
  if (event.type === 'run.stalled' && event.first) metrics.stall();
  if (event.type === 'child.restart') metrics.childRestart(childOf(event.id));
  if (event.type === 'agents.synced') metrics.agents(event.agents.map(({ slug }) => slug));
}
