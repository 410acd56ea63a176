/** Where traces go, and of what (docs/traces.md). */
import { parseList } from './otlp.ts';

export interface TracesConfig {
  /** The address that spans are sent to, and the setting that named it. */
  url: string;
  setting: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' | 'OTEL_EXPORTER_OTLP_ENDPOINT';
  protocol: 'http/protobuf' | 'http/json';
  /** Secrets. */
  headers: Readonly<Record<string, string>>;
  serviceName: string;
  resource: Readonly<Record<string, string>>;
  /** The share of the traces that is sent, from 0 to 1. */
  share: number;
}

export interface TracesValues {
  OTEL_EXPORTER_OTLP_ENDPOINT?: string | undefined;
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?: string | undefined;
  OTEL_EXPORTER_OTLP_PROTOCOL: TracesConfig['protocol'];
  OTEL_EXPORTER_OTLP_HEADERS?: string | undefined;
  OTEL_EXPORTER_OTLP_TRACES_HEADERS?: string | undefined;
  OTEL_SERVICE_NAME: string;
  OTEL_RESOURCE_ATTRIBUTES?: string | undefined;
  OTEL_TRACES_SAMPLER: Sampler;
  OTEL_TRACES_SAMPLER_ARG: number;
}

/** Our traces have no parent outside, so each `parentbased_` sampler decides like the one it is named after. */
export const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

type Sampler = (typeof SAMPLERS)[number];

/** null: there are no traces, because no endpoint is set. */
export function tracesConfig(values: TracesValues): TracesConfig | null {
  const place = placeOf(values);
  if (place === null) return null;
  return {
    ...place,
    protocol: values.OTEL_EXPORTER_OTLP_PROTOCOL,
    headers: Object.fromEntries([
      ...parseList(values.OTEL_EXPORTER_OTLP_HEADERS ?? ''),
      ...parseList(values.OTEL_EXPORTER_OTLP_TRACES_HEADERS ?? ''),
    ]),
    serviceName: values.OTEL_SERVICE_NAME,
    resource: Object.fromEntries(parseList(values.OTEL_RESOURCE_ATTRIBUTES ?? '')),
    share: shareOf(values.OTEL_TRACES_SAMPLER, values.OTEL_TRACES_SAMPLER_ARG),
  };
}

function placeOf({
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: exact,
  OTEL_EXPORTER_OTLP_ENDPOINT: base,
}: TracesValues): Pick<TracesConfig, 'url' | 'setting'> | null {
  if (exact !== undefined) return { url: exact, setting: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' };
  if (base === undefined) return null;
  return { url: `${base.replace(/\/+$/, '')}/v1/traces`, setting: 'OTEL_EXPORTER_OTLP_ENDPOINT' };
}

function shareOf(sampler: Sampler, share: number): number {
  if (sampler.endsWith('always_off')) return 0;
  return sampler.endsWith('traceidratio') ? share : 1;
}

/** What must never be shown: the headers, whole and each by itself. */
export const traceSecrets = (traces: TracesConfig | null): string[] =>
  traces === null
    ? []
    : Object.values(traces.headers).flatMap((value) => [value, ...value.split(' ').slice(1)]);
