/** An inspector without machines: the port, the stream and the commands. */
import { request, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createInspectorServer } from '../../src/inspector/server.ts';
import type { Message } from '../../src/inspector/hub.ts';

export interface Asked {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export async function startInspectorServer(
  greeting: () => Message = () => ({ name: 'hello', data: {}, id: 'e.0' }),
) {
  const commands: string[] = [];
  const lastIds: (string | null)[] = [];
  let left = 0;
  const server = createInspectorServer({
    host: '127.0.0.1',
    assets: {
      page: '<script nonce="{{nonce}}"></script><style nonce="{{nonce}}"></style>',
      charts: new Map([['gateway', '<svg/>']]),
    },
    redact: (text) => text.replaceAll('secret', '***'),
    greet(lastId) {
      lastIds.push(lastId);
      return greeting();
    },
    onLast: () => (left += 1),
    command: (name) => commands.push(name),
    why: (question) => Promise.resolve({ kind: 'none', problem: `Nothing is known of ${question}, secret.` }),
    onError: (error) => {
      throw error;
    },
  });
  await new Promise<void>((resolve) => server.http.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => server.close());
  const { port } = server.http.address() as AddressInfo;
  return { server, port, origin: `http://127.0.0.1:${port}`, commands, lastIds, left: () => left };
}

/** Any request, with any Host. */
export function ask(
  port: number,
  { path = '/', method = 'GET', headers = {}, body }: Asked = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const question = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (more: string) => (text += more));
      answer.once('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }),
      );
    });
    question.once('error', reject);
    question.end(body);
  });
}

export interface Viewer {
  text(): string;
  /** Of the commands. */
  key(): string;
  isOpen(): boolean;
  /** Stops to read, and leaves the connection as it is. */
  pause(): void;
  close(): void;
}

/** A stream that is open. */
export function view(port: number, headers: Record<string, string> = {}): Promise<Viewer> {
  return new Promise((resolve, reject) => {
    const question = request(
      { host: '127.0.0.1', port, path: '/events', headers, agent: false },
      (answer) => {
        let [text, isOpen] = ['', true];
        answer.setEncoding('utf8').on('data', (more: string) => (text += more));
        answer.on('error', () => undefined);
        answer.once('close', () => (isOpen = false));
        resolve({
          text: () => text,
          key: () => /event: key\ndata: (\S+)/.exec(text)?.[1] ?? '',
          isOpen: () => isOpen,
          pause: () => void answer.pause(),
          close: () => void question.destroy(),
        });
      },
    );
    question.on('error', reject);
    question.end();
  });
}
