/** Tells in the log when the endpoint stops taking spans, and when it takes them again. */
import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { TracesConfig } from '../config/traces.ts';
import type { Log } from '../logging/log.ts';

/** The same exporter. The same trouble is logged once, however often it comes. */
export function tellTrouble(
  exporter: SpanExporter,
  { url, setting }: Pick<TracesConfig, 'url' | 'setting'>,
  log: Log,
): SpanExporter {
  const place = `${setting} (${url})`;
  let isTroubled = false;
  const take = ({ code, error }: ExportResult): void => {
    const failed = code !== ExportResultCode.SUCCESS;
    if (failed === isTroubled) return;
    isTroubled = failed;
    if (failed) {
      log.warn(
        'traces.unsent',
        `Traces cannot be sent: ${place} ${problemOf(error)}. Delivery goes on without them.`,
      );
    } else log.info('traces.sent', `Traces are sent again: ${place} takes them.`);
  };
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        take(result);
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}

/** Completes "the endpoint ...". */
export function problemOf(error: Error | undefined): string {
  const code = error !== undefined && 'code' in error ? error.code : undefined;
  if (code === 401 || code === 403)
    return `answers HTTP ${code}: check OTEL_EXPORTER_OTLP_HEADERS and OTEL_EXPORTER_OTLP_TRACES_HEADERS`;
  if (typeof code === 'number')
    return `answers HTTP ${code}: check that it is the address of an OTLP receiver`;
  if (typeof code === 'string') return `cannot be reached (${code})`;
  if (error?.message === 'Request timed out') return 'does not answer';
  if (error?.message === 'Export failed with retryable status')
    return 'takes nothing for now (HTTP 429, 502, 503 or 504)';
  return `takes nothing (${error?.message.slice(0, 120) ?? 'no reason given'})`;
}
