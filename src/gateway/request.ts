import { Fault } from '../../machines/shared/fault.ts';
import type { RunRequest } from '../ports.ts';
import { onceFor } from './once.ts';
import { authorization } from './target.ts';
import type { Target } from './target.ts';

/** Fifty times what a thread takes (100,000 characters). */
const MAX_REQUEST_BYTES = 5 * 2 ** 20;

/**
 * A run as an HTTP request.
 * @param traceparent the trace that it belongs to, where there are traces
 * @throws Fault requestRejected for a run that we will not send, before any network
 */
export function encodeRun(
  target: Target,
  request: RunRequest,
  traceparent?: string,
): { headers: Record<string, string>; body: Buffer } {
  const { agentSlug, instructions, tools = [] } = request;
  if (!/^[A-Za-z0-9_-]+$/.test(agentSlug)) {
    throw rejected(
      `The agent's slug ${JSON.stringify(agentSlug.slice(0, 60))} may hold letters, digits, "_" and "-" only.`,
    );
  }
  // An agent-scoped key names the same session on a gateway with one agent and with many; the gateway lower-cases it.
  const sessionKey = `agent:${agentSlug}:${request.sessionKey}`.toLowerCase();
  if (!/^[\x21-\x7e]+$/.test(sessionKey)) {
    throw rejected('The session key holds a space or a character that no HTTP header can carry.');
  }
  const text = JSON.stringify({
    model: `openclaw/${agentSlug}`,
    stream: true,
    instructions: wellFormed(instructions),
    input: wellFormed(request.input),
  });
  const body =
    tools.length === 0 ? Buffer.from(text) : Buffer.concat([Buffer.from(text.slice(0, -1)), endWith(tools)]);
  if (body.length > MAX_REQUEST_BYTES) {
    throw rejected(
      `The request has ${body.length} bytes, more than the ${MAX_REQUEST_BYTES} that are sent to a gateway.`,
    );
  }
  return {
    headers: {
      ...authorization(target),
      accept: 'text/event-stream, application/json',
      'content-type': 'application/json',
      'x-openclaw-agent-id': agentSlug,
      'x-openclaw-session-key': sessionKey,
      ...(traceparent !== undefined && { traceparent }),
    },
    body,
  };
}

/** The end of a body that offers these tools. */
const endWith = onceFor((tools) => Buffer.from(`,"tools":${JSON.stringify(tools)}}`));

/** Without NUL, and with U+FFFD for half a surrogate pair: people paste both, and not every model provider takes them. */
const wellFormed = (text: string): string => text.replaceAll('\0', '').toWellFormed();

const rejected = (message: string): Fault => new Fault('requestRejected', message);
