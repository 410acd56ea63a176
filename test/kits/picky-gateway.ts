import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';

/** A run as the gateway sees it. */
export interface PickyRun {
  agent: string;
  /** All that the model is given. */
  prompt: string;
  startedAt: number;
  endedAt: number | null;
}

/** What becomes of a run. Times are milliseconds. */
export type Fate =
  | { kind: 'answers'; text: string; afterMs: number }
  | { kind: 'fails' }
  /** The whole gateway goes down with it, before or after its first byte, and is back some time later. */
  | { kind: 'killsGateway'; afterMs: number; begins: boolean; downMs: number }
  /** Only this run's connection closes. */
  | { kind: 'closes'; afterMs: number; begins: boolean }
  /** Something before the gateway answers in its place. */
  | { kind: 'proxyAnswers'; status: number; afterMs: number }
  /** The test writes the answer itself. */
  | { kind: 'writes'; write: (response: ServerResponse) => void };

export interface PickyGateway {
  url: string;
  token: string;
  runs: readonly PickyRun[];
  /** How often it went down. */
  deaths(): number;
  /** From now on runs end like this. */
  decide(fate: (run: PickyRun) => Fate): void;
}

/** A gateway that decides by agent and message what becomes of a run; it speaks as much OpenClaw as the runtime needs. */
export async function pickyGateway(
  agents: readonly string[],
  fate: (run: PickyRun) => Fate,
): Promise<PickyGateway> {
  const runs: PickyRun[] = [];
  let decide = fate;
  let deaths = 0;
  const server: Server = createServer((request, response) => void answer(request, response));
  await listen(server, 0);
  const port = portOf(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url !== '/v1/responses') {
      const data = agents.map((slug) => ({ id: `openclaw/${slug}`, object: 'model' }));
      send(
        response,
        200,
        request.url === '/v1/models' ? { object: 'list', data } : { ready: true, failing: [] },
      );
      return;
    }
    const { model, instructions, input } = await bodyOf(request);
    const prompt = `${instructions ?? ''}\n${typeof input === 'string' ? input : JSON.stringify(input)}`;
    const run: PickyRun = {
      agent: model.replace('openclaw/', ''),
      prompt,
      startedAt: Date.now(),
      endedAt: null,
    };
    runs.push(run);
    response.once('close', () => {
      run.endedAt = Date.now();
    });
    await play(decide(run), response);
  }

  async function play(next: Fate, response: ServerResponse): Promise<void> {
    if (next.kind === 'writes') {
      next.write(response);
      return;
    }
    if (next.kind === 'fails') {
      const error = { code: 'api_error', message: 'internal error' };
      send(response, 500, { object: 'response', status: 'failed', error });
      return;
    }
    if ('begins' in next && next.begins) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('event: response.created\ndata: {"type":"response.created"}\n\n');
    }
    await delay(next.afterMs);
    switch (next.kind) {
      case 'answers':
        send(response, 200, completed(next.text));
        return;
      case 'proxyAnswers':
        response.writeHead(next.status, { 'Content-Type': 'text/html' });
        response.end(`<html><body><h1>${next.status} Gateway Time-out</h1></body></html>`);
        return;
      case 'closes':
        response.destroy();
        return;
      case 'killsGateway':
        deaths += 1;
        await new Promise((resolve) => {
          server.close(resolve);
          server.closeAllConnections();
        });
        await delay(next.downMs);
        await listen(server, port);
    }
  }
  return {
    url: `http://127.0.0.1:${port}`,
    token: 'picky',
    runs,
    deaths: () => deaths,
    decide: (next) => {
      decide = next;
    },
  };
}

const completed = (text: string) => ({
  object: 'response',
  status: 'completed',
  output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }],
});

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function bodyOf(
  request: IncomingMessage,
): Promise<{ model: string; instructions?: string; input: unknown }> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += String(part);
  return JSON.parse(text) as { model: string; instructions?: string; input: unknown };
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The gateway has no port.');
  return address.port;
}
