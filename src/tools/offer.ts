import type { ActingAgent, ToolMode } from '../../machines/shared/acting.ts';
import type { BehaviorFlags } from '../../machines/shared/mission-control.ts';
import type { ToolSchema } from '../../machines/shared/tools.ts';
import { catalog } from './catalog/catalog.ts';
import type { Tool } from './catalog/tool.ts';

/** Whether a run has the tool. This is asked when the tools are offered, and again for each call. */
export const isOffered = (tool: Tool, agent: ActingAgent, mode: ToolMode): boolean =>
  (mode === 'on' || (mode === 'read' && tool.kind === 'read')) && tool.gate.allows(agent);

/** One list for each kind of agent, some dozens at most. What requests make of a list is so made once for each. */
const offers = new Map<string, readonly ToolSchema[]>();

/**
 * The tools of a run, as they are sent to the gateway; empty where it has none. Agents of the same kind get the same
 * list.
 */
export function toolsFor(agent: ActingAgent, mode: ToolMode): readonly ToolSchema[] {
  const key = kindOfAgent(agent, mode);
  const known = offers.get(key);
  if (known !== undefined) return known;
  const offer = catalog.filter((tool) => isOffered(tool, agent, mode)).map((tool) => schemaOf(tool, agent));
  offers.set(key, offer);
  return offer;
}

/** All that gates and schemas look at. */
const kindOfAgent = ({ isOrchestrator, flags, taskId, inBeat }: ActingAgent, mode: ToolMode): string =>
  JSON.stringify([mode, isOrchestrator, taskId !== null, inBeat, FLAGS.map((flag) => flags[flag])]);

const FLAGS = Object.keys({
  canCreateTasks: true,
  canModifyTaskStatus: true,
  canCreateDocuments: true,
  canMentionAgents: true,
  canReviewTasks: true,
  canMarkDone: true,
} satisfies Record<keyof BehaviorFlags, true>) as (keyof BehaviorFlags)[];

function schemaOf({ name, description, fields }: Tool, agent: ActingAgent): ToolSchema {
  const entries = Object.entries(fields);
  const required = entries.filter(([, field]) => field.required(agent)).map(([key]) => key);
  return {
    type: 'function',
    name,
    description,
    parameters: {
      type: 'object',
      properties: Object.fromEntries(entries.map(([key, field]) => [key, field.json(agent)])),
      ...(required.length > 0 && { required }),
    },
  };
}
