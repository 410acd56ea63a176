import type { HealthReport } from '../health/report.ts';
import type { StatusView } from './wire.ts';

/** What the bar of the page tells, from what `/health` tells. */
export function statusView({
  status,
  reason,
  problems,
  delivery,
}: Pick<HealthReport, 'status' | 'reason' | 'problems' | 'delivery'>): StatusView {
  const { delivered, failed, parked, inFlight, queued } = delivery;
  const all = problems.map(({ problem }) => problem);
  const reasons = reason === all.join(' ') ? all : [reason];
  return { status, reason: reasons.map(ownWords).join(' '), delivered, failed, parked, inFlight, queued };
}

/** What follows may quote anything: the log has it. */
const CRASH = /\b(uncaughtException|unhandledRejection|crashed)\b.*/s;

/**
 * A sentence without what others said: the gateway's words stand in quotes, and whatever a backend, a model provider
 * or a crash said comes after the first sentence.
 */
export function ownWords(reason: string): string {
  const unquoted = reason.replace(/"(?:[^"\\]|\\.)*"?/gs, '…');
  const sentence = /^.*?\.(?=\s|$)/s.exec(unquoted)?.[0] ?? unquoted;
  return sentence.replace(CRASH, '$1').slice(0, 300);
}
