import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import * as v from 'valibot';
import { toolsProblem } from './calls.ts';

/** A run that the gateway accepts. */
export interface RunOrder {
  agent: string;
  sessionKey: string;
  model: string;
  input: string;
  stream: boolean;
  tools: readonly { name: string }[];
  /** The run begins and fails with these words. */
  broken: string | null;
  /** The session key does not name a known agent: OpenClaw takes the run and lets it fail. */
  doomed: boolean;
}

/** Why a request is not accepted; the sender gets it with HTTP 400. */
export interface Rejection {
  rejected: string;
}

/** OpenClaw's request body is strict; the parts of it that we do not act on are known by name alone. */
const Body = v.strictObject({
  model: v.string(),
  input: v.union([v.string(), v.array(v.unknown())]),
  instructions: v.optional(v.string()),
  stream: v.optional(v.boolean()),
  user: v.optional(v.string()),
  tools: v.optional(v.array(v.looseObject({ type: v.literal('function'), name: v.string() })), []),
  ...v.entriesFromList(
    [
      'tool_choice',
      'text',
      'max_output_tokens',
      'max_tool_calls',
      'temperature',
      'top_p',
      'metadata',
      'store',
      'previous_response_id',
      'reasoning',
      'truncation',
    ],
    v.optional(v.unknown()),
  ),
});

const Parameters = v.looseObject({ type: v.literal('object') });

const Message = v.looseObject({
  type: v.literal('message'),
  role: v.literal('user'),
  content: v.union([v.string(), v.array(v.unknown())]),
});
const CallOutput = v.looseObject({
  type: v.literal('function_call_output'),
  call_id: v.string(),
  output: v.string(),
});
const TextPart = v.looseObject({ type: v.literal('input_text'), text: v.string() });

const RESERVED = /^(cron:|subagent:|acp:|agent:[^:]+:(cron|subagent|acp):)/;

/** Judges a request as OpenClaw 2026.9.6 does. @param json undefined when the body was not JSON */
export function readRunOrder(
  headers: IncomingHttpHeaders,
  json: unknown,
  agents: readonly string[],
): RunOrder | Rejection {
  const body = v.safeParse(Body, json);
  if (!body.success) return { rejected: complaintOf(body.issues[0]) };
  const { model, input, stream = false, user, tools } = body.output;
  const agent = chooseAgent(firstOf(headers['x-openclaw-agent-id']), model, agents);
  if (typeof agent !== 'string') return agent;
  const key = firstOf(headers['x-openclaw-session-key']).trim().toLowerCase();
  if (RESERVED.test(key)) {
    return { rejected: '`x-openclaw-session-key` cannot use reserved internal session namespaces.' };
  }
  const text = textOf(input);
  if (text === '') return { rejected: 'Missing user message in `input`.' };
  const problem = toolsProblem(tools);
  if (problem !== null && !stream) return { rejected: problem };
  const hasParameters = tools.every((tool) => v.is(Parameters, tool['parameters']));
  const broken = problem ?? (hasParameters ? null : 'internal error');
  return { ...chooseSession(key, user, agent, agents), model, input: text, stream, tools, broken };
}

function complaintOf(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? '';
  return issue.type === 'strict_object' && issue.expected === 'never'
    ? `: Unrecognized key: "${path}"`
    : `${path}: Invalid input`;
}

function chooseAgent(header: string, model: string, agents: readonly string[]): string | Rejection {
  const inModel = /^openclaw(?:[:/](.+))?$/.exec(model);
  if (!inModel) return { rejected: 'Invalid `model`. Use `openclaw` or `openclaw/<agentId>`.' };
  const named = header || (inModel[1] === 'default' ? '' : inModel[1]);
  if (named) return agents.includes(named) ? named : { rejected: `Unknown agent '${named}'.` };
  const [only, ...others] = agents;
  if (only !== undefined && others.length === 0) return only;
  return { rejected: 'Multiple agents are configured, but this operation has no explicit owner.' };
}

/** The agent inside the session key wins over header and model; a key without one is only clear with a single agent. */
function chooseSession(
  key: string,
  user: string | undefined,
  agent: string,
  agents: readonly string[],
): { sessionKey: string; agent: string; doomed: boolean } {
  const fresh = user ? `openresponses-user:${user}` : `openresponses:${randomUUID()}`;
  if (key === '') return { sessionKey: `agent:${agent}:${fresh}`, agent, doomed: false };
  const inKey = /^agent:([^:]+):/.exec(key)?.[1];
  if (inKey === undefined) {
    return { sessionKey: `agent:${agent}:${key}`, agent, doomed: agents.length > 1 };
  }
  const owner = agents.find((slug) => slug.toLowerCase() === inKey);
  return { sessionKey: key, agent: owner ?? inKey, doomed: owner === undefined };
}

function textOf(input: string | unknown[]): string {
  if (typeof input === 'string') return input;
  const last = input.at(-1);
  // OpenClaw puts an output to the model as a message of the user.
  if (v.is(CallOutput, last)) return `Tool:${last.call_id}: ${last.output}`;
  if (!v.is(Message, last)) return '';
  if (typeof last.content === 'string') return last.content;
  return last.content.map((part) => (v.is(TextPart, part) ? part.text : '')).join('\n');
}

const firstOf = (header: string | string[] | undefined): string =>
  (Array.isArray(header) ? header[0] : header) ?? '';
