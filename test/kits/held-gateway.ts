import { createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { until } from './until.ts';

/** A gateway whose runs wait until the test lets them go: a run can be under way for as long as a test looks at it. */
export interface HeldGateway {
  url: string;
  token: string;
  /** Settles when a run is waiting. */
  runHeld(): Promise<void>;
  /** Lets all runs go, now and from now on. */
  release(): void;
}

/** Stands in front of a real gateway and passes everything on. */
export async function holdGateway(behind: { url: string; token: string }): Promise<HeldGateway> {
  const waiting = new Set<() => void>();
  let isOpen = false;
  const server = createServer((question, answer) => {
    const goOn = (): void => passOn(behind.url, question, answer);
    if (isOpen || question.url !== '/v1/responses' || isBeat(question)) {
      goOn();
      return;
    }
    waiting.add(goOn);
    answer.once('close', () => waiting.delete(goOn));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port ?? 0}`,
    token: behind.token,
    async runHeld() {
      await until('A run is under way', () => waiting.size > 0);
    },
    release() {
      isOpen = true;
      for (const goOn of waiting) goOn();
    },
  };
}

/** Heartbeats come at random times, so they are never held. */
const isBeat = ({ headers }: IncomingMessage): boolean =>
  String(headers['x-openclaw-session-key']).includes(':system:');

function passOn(to: string, question: IncomingMessage, answer: ServerResponse): void {
  const { method, headers } = question;
  const onward = request(`${to}${question.url ?? '/'}`, { method, headers }, (reply) => {
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  answer.once('close', () => onward.destroy());
  question.pipe(onward);
}
