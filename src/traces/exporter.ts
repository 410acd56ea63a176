/**
 * Sends spans by OTLP over HTTP, with OpenTelemetry's own exporters. They send again what a busy receiver did not take.
 * They read the variables that are not our settings (such as OTEL_EXPORTER_OTLP_TIMEOUT) from the environment
 * themselves.
 */
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { HttpsProxyAgent } from 'https-proxy-agent';
import type { TracesConfig } from '../config/traces.ts';

/** How many batches may be on their way at once. */
const MOST_AT_ONCE = 4;

export function createExporter({ url, protocol, headers }: TracesConfig, proxy: string | null): SpanExporter {
  const Exporter = protocol === 'http/json' ? JsonExporter : ProtobufExporter;
  return new Exporter({
    url,
    headers: { ...headers },
    concurrencyLimit: MOST_AT_ONCE,
    ...(proxy !== null && { httpAgentOptions: () => new HttpsProxyAgent(proxy, { keepAlive: true }) }),
  });
}
