import type { ActingAgent, ToolMode } from '../../machines/shared/acting.ts';
import type { ToolSchema } from '../../machines/shared/tools.ts';
import { catalog } from './catalog/catalog.ts';
import type { Tool } from './catalog/tool.ts';

/** Whether a run has the tool: asked when the set is offered, and again when a call comes. */
export const isOffered = (tool: Tool, agent: ActingAgent, mode: ToolMode): boolean =>
  (mode === 'on' || (mode === 'read' && tool.kind === 'read')) && tool.gate.allows(agent);

/** The tools of a run, as they are sent to the gateway; none: []. */
export const toolsFor = (agent: ActingAgent, mode: ToolMode): readonly ToolSchema[] =>
  catalog.filter((tool) => isOffered(tool, agent, mode)).map((tool) => schemaOf(tool, agent));

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
