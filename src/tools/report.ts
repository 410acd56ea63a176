import type { ToolAnswer } from '../../machines/shared/acting.ts';
import type { ToolCall } from '../../machines/shared/tools.ts';
import type { Metrics } from '../health/metrics.ts';
import type { Log } from '../logging/log.ts';

/** Where a call belongs. */
export interface CallPlace {
  agent: string;
  /** The notification's id; null in a heartbeat. */
  notification: string | null;
  round: number;
  ms: number;
}

/** Told of every call that was answered: one line in the log, and the metrics. */
export type ReportCall = (call: ToolCall, answer: ToolAnswer, place: CallPlace) => void;

/** Outcomes that are logged as warnings, because people should see them. */
const WARNED: readonly ToolAnswer['outcome'][] = ['outcome_unknown', 'limit'];

/** Only debug lines hold arguments, and no line holds results. */
export function createReportCall(log: Log, metrics: Pick<Metrics, 'toolCall'>): ReportCall {
  return (call, { outcome }, { ms, ...place }) => {
    const tool = call.name.slice(0, 64);
    metrics.toolCall(tool, outcome, ms / 1_000);
    const level = WARNED.includes(outcome) ? 'warn' : 'info';
    log[level]('tool.called', `@${place.agent} called ${tool}: ${outcome}`, { tool, outcome, ms, ...place });
    if (log.isDebug)
      log.debug('tool.arguments', `What ${tool} was called with`, { arguments: call.arguments });
  };
}
