/** An HTTP relay before Mission Control's backend. It sees every call, so a test can make the calls of single rows fail. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import * as v from 'valibot';
import { onTestFinished } from 'vitest';

const Call = v.object({ path: v.string(), args: v.tuple([v.record(v.string(), v.unknown())]) });

export interface Call {
  /** The function's name in the contract. */
  name: string;
  args: Record<string, unknown>;
}

/**
 * pass: goes on to the backend. fail: the function throws. hang: no answer, and the backend never hears of it. feign: it
 * says that it has succeeded, and the backend never hears of it.
 */
export type Verdict = 'pass' | 'fail' | 'hang' | 'feign';

export interface Relay {
  /** Takes the place of the backend's. */
  url: string;
  /** How often a function was called so far. */
  count(name: string): number;
  /** Judges each call from now on; the call waits for the verdict. */
  judge(rule: (call: Call) => Verdict | Promise<Verdict>): void;
}

/** The relay is closed when the test is over. */
export async function relayTo(url: string): Promise<Relay> {
  const counts = new Map<string, number>();
  let rule: Parameters<Relay['judge']>[0] = () => 'pass';

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    const { path, args } = v.parse(v.pipe(v.string(), v.parseJson(), Call), body);
    const name = path.slice(path.indexOf(':') + 1);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const verdict = await rule({ name, args: args[0] });
    if (verdict === 'hang') return;
    const reply =
      verdict === 'fail' || verdict === 'feign'
        ? { status: 200, text: verdict === 'fail' ? FAILED : FEIGNED }
        : await askBackend(`${url}${request.url ?? '/'}`, body);
    response.writeHead(reply.status, { 'content-type': 'application/json' }).end(reply.text);
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    count: (name) => counts.get(name) ?? 0,
    judge: (next) => void (rule = next),
  };
}

const FAILED = JSON.stringify({
  status: 'error',
  errorMessage: 'Uncaught Error: Fault on command',
  logLines: [],
});

const FEIGNED = JSON.stringify({ status: 'success', value: { success: true }, logLines: [] });

async function textOf(request: IncomingMessage): Promise<string> {
  request.setEncoding('utf8');
  let text = '';
  const pieces: AsyncIterable<string> = request;
  for await (const piece of pieces) text += piece;
  return text;
}

async function askBackend(url: string, body: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  return { status: answer.status, text: await answer.text() };
}
