import * as v from 'valibot';
import type { ActingAgent } from '../../machines/shared/acting.ts';
import type { TaskStatus } from '../../machines/shared/mission-control.ts';
import type { ToolCall } from '../../machines/shared/tools.ts';
import { findTool } from './catalog/catalog.ts';
import { parsed } from './catalog/kept.ts';
import type { PreparedCall, ToolKind } from './catalog/tool.ts';
import { Refusal } from './refusal.ts';

const ArgumentObject = v.record(v.string(), v.unknown());

/**
 * A call with its arguments read.
 * @throws Refusal not_found, invalid_arguments, not_allowed
 */
export function prepareCall(call: ToolCall, agent: ActingAgent): PreparedCall {
  const tool = findTool(call.name);
  if (tool === null) {
    throw new Refusal('not_found', 'There is no such tool.', 'Call only tools that are offered to you.');
  }
  // A model that has nothing to say sends an empty text.
  const given = v.safeParse(ArgumentObject, call.arguments.trim() === '' ? {} : parsed(call.arguments));
  if (!given.success || Array.isArray(given.output)) {
    throw new Refusal('invalid_arguments', 'The arguments are not a JSON object.');
  }
  return tool.prepare(given.output, agent);
}

/** What may be done with a call whose end is unknown. A call that is refused changes nothing. */
export const kindOf = (call: ToolCall, agent: ActingAgent): ToolKind =>
  preparedOrNull(call, agent)?.kind ?? 'read';

const StatusArguments = v.object({ taskId: v.string() });
const StatusKept = v.object({
  tool: v.literal('task_status'),
  ok: v.literal(true),
  data: v.object({ taskId: v.string(), status: v.string() }),
});

/**
 * The status of the task before a call of task_status is made for the first time, as far as the run knows it; to be
 * kept with the call, so that a repeat does not undo what a person did in between.
 * @param kept the envelopes of the calls of this run that are done, oldest first
 */
export function statusBefore(call: ToolCall, agent: ActingAgent, kept: readonly string[]): TaskStatus | null {
  if (call.name !== 'task_status') return null;
  const target = v.safeParse(StatusArguments, preparedOrNull(call, agent)?.canonical);
  if (!target.success) return null;
  const { taskId } = target.output;
  const moved = kept.findLast((envelope) => movedTask(envelope)?.taskId === taskId);
  const status = moved === undefined ? null : movedTask(moved)?.status;
  return (status as TaskStatus | undefined) ?? (taskId === agent.taskId ? agent.taskStatus : null);
}

function movedTask(envelope: string): { taskId: string; status: string } | null {
  const read = v.safeParse(StatusKept, parsed(envelope));
  return read.success ? read.output.data : null;
}

function preparedOrNull(call: ToolCall, agent: ActingAgent): PreparedCall | null {
  try {
    return prepareCall(call, agent);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}
