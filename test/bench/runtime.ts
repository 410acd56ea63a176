import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { HealthReport } from '../../src/health/report.ts';
import type { Worker } from './worker.ts';

export interface Answer {
  status: number;
  body: string;
  /** From the request to the last byte, in milliseconds. */
  ms: number;
}

/** One GET on a connection of its own; rejects when nobody listens. */
export function get(worker: Worker, path: string): Promise<Answer> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    request(`${worker.url}${path}`, { agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, ms: performance.now() - began }),
      );
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

export const healthOf = async (worker: Worker): Promise<HealthReport> =>
  JSON.parse((await get(worker, '/health')).body) as HealthReport;

const LIMIT_MS = 30_000;

/** Asks until the answer fits. @param everyMs between two questions @throws Error with the runtime's last words */
export async function untilAnswer(
  worker: Worker,
  path: string,
  fits: (answer: Answer) => boolean,
  everyMs = 20,
): Promise<Answer> {
  const giveUpAt = performance.now() + LIMIT_MS;
  while (performance.now() < giveUpAt) {
    const answer = await get(worker, path).catch(() => null);
    if (answer !== null && fits(answer)) return answer;
    await delay(everyMs);
  }
  throw new Error(`${path} does not answer as it should. The runtime's last words: ${worker.lastWords()}`);
}

/** Settles when the runtime delivers. */
export async function untilConnected(worker: Worker): Promise<void> {
  await untilAnswer(
    worker,
    '/health',
    ({ body }) => (JSON.parse(body) as HealthReport).gateway.state === 'connected',
  );
}
