import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import { expect, test } from 'vitest';
import type { Log } from '../logging/log.ts';
import { problemOf, tellTrouble } from './tell.ts';

const error = (message: string, code?: number | string): Error => Object.assign(new Error(message), { code });

test.each<[Error | undefined, string]>([
  [
    error('Unauthorized', 401),
    'answers HTTP 401: check OTEL_EXPORTER_OTLP_HEADERS and OTEL_EXPORTER_OTLP_TRACES_HEADERS',
  ],
  [error('Not Found', 404), 'answers HTTP 404: check that it is the address of an OTLP receiver'],
  [error('connect ECONNREFUSED 127.0.0.1:4318', 'ECONNREFUSED'), 'cannot be reached (ECONNREFUSED)'],
  [error('Request timed out'), 'does not answer'],
  [error('Export failed with retryable status'), 'takes nothing for now (HTTP 429, 502, 503 or 504)'],
  [error('Something else'), 'takes nothing (Something else)'],
  [undefined, 'takes nothing (no reason given)'],
])('%s: it %s', (cause, sentence) => expect(problemOf(cause)).toBe(sentence));

test('a trouble is told once, and its end once', () => {
  const told: string[] = [];
  const write = (event: string): void => void told.push(event);
  const log: Log = {
    debug: write,
    info: write,
    warn: write,
    error: write,
    isDebug: false,
    child: () => log,
    flush: () => Promise.resolve(),
  };
  let result: ExportResult = { code: ExportResultCode.SUCCESS };
  const exporter = tellTrouble(
    { export: (_, done) => done(result), shutdown: () => Promise.resolve() },
    { url: 'http://collector:4318/v1/traces', setting: 'OTEL_EXPORTER_OTLP_ENDPOINT' },
    log,
  );
  const results: ExportResult[] = [];
  const send = (next: ExportResult): void => {
    result = next;
    exporter.export([], (one) => results.push(one));
  };
  const [ok, failed] = [{ code: ExportResultCode.SUCCESS }, { code: ExportResultCode.FAILED }];
  for (const next of [ok, failed, failed, ok, ok, failed]) send(next);
  expect(told).toEqual(['traces.unsent', 'traces.sent', 'traces.unsent']);
  expect(results).toEqual([ok, failed, failed, ok, ok, failed]);
});
