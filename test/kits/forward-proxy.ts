/** A company's proxy. Nobody else can resolve the names of the hosts behind it. */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { onTestFinished } from 'vitest';

export interface ForwardProxy {
  /** With its credentials. */
  url: string;
  password: string;
  /** What it was asked for, in the words of the request: `CONNECT host:port`, `POST http://host/path`. */
  asked: readonly string[];
}

/** Stands there until the test is over. @param names where `host:port` leads to, a port of the loopback */
export async function forwardProxy(names: Record<string, number>): Promise<ForwardProxy> {
  const password = 'p@ss/w0rd-of-the-proxy';
  const asked: string[] = [];
  const credentials = `Basic ${Buffer.from(`agent:${password}`).toString('base64')}`;
  const isKnown = ({ headers }: IncomingMessage): boolean => headers['proxy-authorization'] === credentials;
  const portOf = (host: string): number | undefined => names[host] ?? names[`${host}:80`];

  const server = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method ?? ''} ${incoming.url ?? ''}`);
    const url = URL.parse(incoming.url ?? '');
    const port = portOf(url?.host ?? '');
    if (!isKnown(incoming)) return void outgoing.writeHead(407).end();
    if (url === null || port === undefined) return void outgoing.writeHead(502).end();
    const { method, headers } = incoming;
    const passed = request({ port, host: '127.0.0.1', method, headers, path: url.pathname + url.search });
    passed.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      // An answer that breaks off breaks off here as well.
      pipeline(answer, outgoing, () => undefined);
    });
    passed.on('error', () => outgoing.destroy());
    outgoing.on('close', () => passed.destroy());
    incoming.pipe(passed);
  });
  server.on('connect', (incoming: IncomingMessage, client: Socket, head: Buffer) => {
    asked.push(`CONNECT ${incoming.url ?? ''}`);
    const port = portOf(incoming.url ?? '');
    if (!isKnown(incoming)) return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    if (port === undefined) return void client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    const target = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.write(head);
      target.pipe(client).pipe(target);
    });
    for (const [one, other] of [
      [client, target],
      [target, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://agent:${encodeURIComponent(password)}@127.0.0.1:${port}`, password, asked };
}
