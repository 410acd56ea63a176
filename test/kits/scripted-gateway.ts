/** A gateway in the test's own process: the test says what the agents answer, and reads what they were sent. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { onTestFinished } from 'vitest';

/** What one round was sent. */
export interface Asked {
  agent: string;
  /** As the gateway gets it, `agent:<slug>:<key>`. */
  session: string;
  instructions: string;
  input: string;
  /** Names of the tools that go out with it. */
  tools: string[];
  /** The body as it came. */
  body: string;
}

/** `fail`: the run fails; `cut`: the connection breaks after the request was read. */
export type Answer =
  | { text: string; calls?: never }
  | { calls: readonly (readonly [tool: string, args: object])[]; text?: string }
  | 'fail'
  | 'cut';

export interface ScriptedGateway {
  url: string;
  token: string;
  /** Rounds about notifications, in the order of their requests. */
  asked: Asked[];
  /** Rounds of heartbeats. */
  beats: Asked[];
  close(): Promise<void>;
}

const Body = v.looseObject({
  model: v.string(),
  instructions: v.string(),
  input: v.string(),
  tools: v.optional(v.array(v.object({ name: v.string() })), []),
});

/**
 * @param answer gets what was sent and how many rounds this agent had before; heartbeats are answered with HEARTBEAT_OK
 */
export async function scriptedGateway(
  agents: readonly string[],
  answer: (asked: Asked, before: number) => Answer | Promise<Answer>,
): Promise<ScriptedGateway> {
  const asked: Asked[] = [];
  const beats: Asked[] = [];
  const token = 'scripted-gateway-token';
  const respond = async (request: IncomingMessage): Promise<Answer> => {
    const round = await askedBy(request);
    if (round.session.includes(':system:')) {
      beats.push(round);
      return { text: 'HEARTBEAT_OK' };
    }
    const before = asked.filter(({ agent }) => agent === round.agent).length;
    asked.push(round);
    return answer(round, before);
  };
  const server = createServer((request, response) => {
    const json = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (request.url === '/readyz') json(200, { ready: true, failing: [] });
    else if (request.url === '/startupz') json(200, { ok: true, status: 'started', version: 'scripted' });
    else if (request.url === '/v1/models') {
      json(200, { object: 'list', data: agents.map((slug) => ({ id: `openclaw/${slug}` })) });
    } else {
      respond(request).then(
        (given) => {
          if (given === 'cut') response.socket?.resetAndDestroy();
          else json(given === 'fail' ? 500 : 200, resourceOf(given));
        },
        (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
      );
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  onTestFinished(close);
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return { url: `http://127.0.0.1:${port ?? 0}`, token, asked, beats, close };
}

async function askedBy(request: IncomingMessage): Promise<Asked> {
  const body = await text(request);
  const { model, instructions, input, tools } = v.parse(v.pipe(v.string(), v.parseJson(), Body), body);
  return {
    agent: model.replace('openclaw/', ''),
    session: String(request.headers['x-openclaw-session-key']),
    instructions,
    input,
    tools: tools.map(({ name }) => name),
    body,
  };
}

function resourceOf(given: Exclude<Answer, 'cut'>): object {
  if (given === 'fail') {
    return { object: 'response', status: 'failed', error: { code: 'api_error', message: 'internal error' } };
  }
  const calls = (given.calls ?? []).map(([name, args], index) => ({
    type: 'function_call',
    call_id: `call-${index}`,
    name,
    arguments: JSON.stringify(args),
  }));
  const message = { type: 'message', content: [{ type: 'output_text', text: given.text ?? '' }] };
  return {
    object: 'response',
    status: 'completed',
    output: given.text === undefined ? calls : [...calls, message],
    usage: { input_tokens: 11, output_tokens: 7, total_tokens: 18 },
  };
}
