import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import * as v from 'valibot';

/** One request as it came over the wire. */
export interface WireCall {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: { path: string; format: string; args: Record<string, unknown>[] };
}

export interface WireAnswer {
  status?: number;
  headers?: Record<string, string>;
  /** A string goes out as it is, anything else as JSON. */
  body: unknown;
}

export interface Wire {
  url: string;
  calls: WireCall[];
  close(): Promise<void>;
}

const body = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ path: v.string(), format: v.string(), args: v.array(v.record(v.string(), v.unknown())) }),
);

export const success = (value: unknown): WireAnswer => ({ body: { status: 'success', value, logLines: [] } });

export const failure = (errorMessage: string, errorData?: unknown): WireAnswer => ({
  body: { status: 'error', errorMessage, errorData, logLines: [] },
});

/** A small server with the wire format of a Convex deployment, on a free port of 127.0.0.1. */
export async function startWire(answer: (call: WireCall) => WireAnswer | Promise<WireAnswer>): Promise<Wire> {
  const calls: WireCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const call: WireCall = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: v.parse(body, Buffer.concat(chunks).toString()),
      };
      calls.push(call);
      void Promise.resolve(answer(call)).then(({ status = 200, headers = {}, body: sent }) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers });
        response.end(typeof sent === 'string' ? sent : JSON.stringify(sent));
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The test server has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
