import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { EchoCall } from './calls.ts';

/** The shapes of OpenClaw 2026.9.6, as it answers on the wire. */
export interface Resource {
  id: string;
  object: 'response';
  created_at: number;
  status: 'in_progress' | 'completed' | 'failed';
  model: string;
  output: unknown[];
  usage: { input_tokens: number; output_tokens: number; total_tokens: number };
  error?: { code: string; message: string };
}

const usage = { input_tokens: 0, output_tokens: 0, total_tokens: 0 };

/** The tokens of an echo: about four characters are one. */
function usageOf(text: string): Resource['usage'] {
  const tokens = Math.ceil(text.length / 4);
  return { input_tokens: tokens, output_tokens: tokens, total_tokens: 2 * tokens };
}

export const newResource = (model: string): Resource => ({
  id: `resp_${randomUUID()}`,
  object: 'response',
  created_at: Math.floor(Date.now() / 1000),
  status: 'in_progress',
  model,
  output: [],
  usage,
});

export const completed = (resource: Resource, text: string): Resource => ({
  ...resource,
  status: 'completed',
  usage: usageOf(text),
  output: [
    {
      type: 'message',
      id: `msg_${randomUUID()}`,
      role: 'assistant',
      content: [{ type: 'output_text', text }],
      phase: 'final_answer',
      status: 'completed',
    },
  ],
});

/** OpenClaw ends its answer at a call of the client's tools. The run goes on with the next request. */
export const calling = (resource: Resource, calls: readonly EchoCall[]): Resource => ({
  ...resource,
  status: 'completed',
  output: calls.map((call) => ({
    type: 'function_call',
    id: `call_${randomUUID()}`,
    call_id: randomUUID().slice(0, 8),
    ...call,
  })),
});

/** The error of every run that fails inside the gateway, which never names the reason. */
export const failed = (resource: Resource, message = 'internal error'): Resource => ({
  ...resource,
  status: 'failed',
  error: { code: 'api_error', message },
});

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(body));
}

export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers });
  response.end(text);
}

/** An error of the gateway's own, without `object`: no run began. */
export const sendError = (response: ServerResponse, status: number, type: string, message: string): void =>
  sendJson(response, status, { error: { message, type } });

export const sendUnavailable = (response: ServerResponse): void =>
  sendJson(response, 503, {
    error: {
      message: 'Gateway is temporarily unavailable while suspending or restarting',
      type: 'service_unavailable',
      code: 'gateway_unavailable',
    },
  });

export function sendEvent(response: ServerResponse, type: string, fields: Record<string, unknown>): void {
  response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
}
