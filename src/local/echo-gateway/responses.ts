import type { IncomingMessage, ServerResponse } from 'node:http';
import { readJson } from './body.ts';
import { nextRound } from './calls.ts';
import { notificationIdOf, resultsIn } from './prompt.ts';
import { planReply } from './reply.ts';
import type { Plan } from './reply.ts';
import { readRunOrder } from './request.ts';
import type { RunOrder } from './request.ts';
import { playRun } from './run.ts';
import { failing } from './state.ts';
import type { EchoState } from './state.ts';
import { sendError, sendText, sendUnavailable } from './wire.ts';

/** Tells the sender when the token is not ours. */
export function authorized(state: EchoState, request: IncomingMessage, response: ServerResponse): boolean {
  const given = request.headers.authorization;
  if (given === `Bearer ${state.options.token}` && state.fault.mode !== '401') return true;
  sendError(response, 401, 'unauthorized', 'Unauthorized');
  return false;
}

/** `/v1/responses`: the checks in OpenClaw's order, then the run. */
export async function handleResponses(
  state: EchoState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST') {
    sendText(response, 405, 'Method Not Allowed', { allow: 'POST' });
    return;
  }
  if (!authorized(state, request, response)) return;
  const body = await readJson(request, response);
  if (body === null) return;
  if (failing(state).length > 0 || state.fault.mode === '503') {
    sendUnavailable(response);
    return;
  }
  const order = readRunOrder(request.headers, body.json, state.options.agents);
  if ('rejected' in order) {
    sendError(response, 400, 'invalid_request_error', order.rejected);
    return;
  }
  await startRun(state, order, response);
}

async function startRun(state: EchoState, order: RunOrder, response: ServerResponse): Promise<void> {
  const { ledger, fault, inLine } = state;
  const plan = planFor(state, order);
  const record = ledger.begin(order, notificationIdOf(order.input));
  response.on('close', () => ledger.end(record, 'aborted'));
  if (plan.outcome === 'unavailable') {
    ledger.end(record, 'unavailable');
    sendUnavailable(response);
    return;
  }
  if (fault.mode === 'hang') return;
  if (fault.mode === 'reset') {
    ledger.end(record, 'reset');
    response.socket?.resetAndDestroy();
    return;
  }
  await playRun({ order, plan, record, ledger, response }, inLine);
}

function planFor(state: EchoState, order: RunOrder): Plan {
  const { fault } = state;
  const plan = withCalls(state, order, planReply(order.agent, order.input));
  const fails = fault.mode === '500' || order.doomed || order.broken !== null;
  return { ...plan, outcome: fails ? 'fail' : plan.outcome, delayMs: plan.delayMs + fault.delayMs };
}

/** The next calls of the session's script, as far as the request offers the tools. */
function withCalls({ scripts }: EchoState, { sessionKey, tools, input }: RunOrder, plan: Plan): Plan {
  const script = plan.script ?? (resultsIn(input) === null ? null : (scripts.get(sessionKey) ?? null));
  scripts.delete(sessionKey);
  if (script === null) return plan;
  const { calls, rest } = nextRound(script);
  const missing = calls.find(({ name }) => !tools.some((tool) => tool.name === name));
  if (missing !== undefined) {
    return plan.script === null ? plan : { ...plan, text: `echo: ${missing.name} is not offered` };
  }
  if (rest !== null) scripts.set(sessionKey, rest);
  return { ...plan, calls };
}
