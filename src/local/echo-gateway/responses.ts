import type { IncomingMessage, ServerResponse } from 'node:http';
import { readJson } from './body.ts';
import { notificationIdOf, planReply } from './reply.ts';
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
  const record = ledger.begin(order.sessionKey, order.agent, notificationIdOf(order.input));
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

function planFor({ fault }: EchoState, order: RunOrder): Plan {
  const plan = planReply(order.agent, order.input);
  const outcome = fault.mode === '500' || order.doomed ? 'fail' : plan.outcome;
  return { ...plan, outcome, delayMs: plan.delayMs + fault.delayMs };
}
