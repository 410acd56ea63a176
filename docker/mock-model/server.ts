/**
 * A model that costs nothing and needs no key: an OpenAI-compatible endpoint (`/v1/chat/completions`, streamed or not)
 * whose answer follows from the request alone. It says back the last message of a thread that it is asked about, and
 * HEARTBEAT_OK to a heartbeat. `mock:delay=5s` in that message lets the answer wait, at most two minutes; a line
 * `mock:tool=exec {"command":"env"}` has it call that tool and say back what the tool answers;
 * `mock:system=/words/` has it say back the lines of its system prompt with these words.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerTo, parseRequest, type ChatRequest } from './answer.ts';

const PORT = Number(process.env['PORT'] ?? 8080);
const MODEL = 'mock-1';

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0];
  if (request.method === 'GET' && path === '/healthz') {
    sendJson(response, 200, { status: 'ok' });
  } else if (request.method === 'GET' && path === '/v1/models') {
    sendJson(response, 200, { object: 'list', data: [{ id: MODEL, object: 'model', owned_by: 'mock' }] });
  } else if (request.method === 'POST' && path === '/v1/chat/completions') {
    await complete(parseRequest(await textOf(request)), response);
  } else {
    sendJson(response, 404, { error: { message: `There is nothing at ${path}.`, type: 'not_found' } });
  }
}

async function complete(request: ChatRequest | null, response: ServerResponse): Promise<void> {
  if (request === null) {
    sendJson(response, 400, {
      error: { message: 'The body is no chat request.', type: 'invalid_request_error' },
    });
    return;
  }
  const { text, calls, delayMs } = answerTo(request);
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  await sleep(delayMs, undefined, { signal: gone.signal });
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  const head = { id: 'chatcmpl-mock', created: 0, model: MODEL };
  const toolCalls = calls.map(({ name, arguments: args }, index) => ({
    index,
    id: `call_${randomUUID()}`,
    type: 'function',
    function: { name, arguments: args },
  }));
  const said = { role: 'assistant', content: text, ...(calls.length > 0 && { tool_calls: toolCalls }) };
  const finishReason = calls.length > 0 ? 'tool_calls' : 'stop';
  if (!request.stream) {
    const choice = { index: 0, message: said, finish_reason: finishReason };
    sendJson(response, 200, { ...head, object: 'chat.completion', choices: [choice], usage });
    return;
  }
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  const send = (choices: object[], more: object = {}): void => {
    response.write(
      `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`,
    );
  };
  send([{ index: 0, delta: said, finish_reason: null }]);
  send([{ index: 0, delta: {}, finish_reason: finishReason }]);
  send([], { usage });
  response.end('data: [DONE]\n\n');
}

async function textOf(request: IncomingMessage): Promise<string> {
  request.setEncoding('utf8');
  const pieces: AsyncIterable<string> = request;
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

const server = createServer((request, response) => {
  handle(request, response).catch(() => response.destroy());
});
server.listen(PORT);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}
