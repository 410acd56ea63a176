import { expect, test } from 'vitest';
import { loadConfig } from './config.ts';

const BASE = {
  ACCOUNT_ID: 'acc1',
  CONVEX_URL: 'http://127.0.0.1:3210',
  SERVICE_TOKEN: 'mc_service_acc1_0123456789abcdef',
};
const load = (env: NodeJS.ProcessEnv) => loadConfig({ ...BASE, ...env }, { terminal: false, cwd: '/' });
const tracesOf = (env: NodeJS.ProcessEnv) => load(env).config.traces;

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

test('without an endpoint there are none, whatever else is set', () => {
  expect(tracesOf({ OTEL_SERVICE_NAME: 'x', OTEL_EXPORTER_OTLP_HEADERS: 'a=b' })).toBe(null);
});

test.each([
  ['http://collector:4318', 'http://collector:4318/v1/traces'],
  ['https://collector/otlp/', 'https://collector/otlp/v1/traces'],
])('OTEL_EXPORTER_OTLP_ENDPOINT=%s: spans go to %s', (endpoint, url) =>
  expect(tracesOf({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })).toMatchObject({
    url,
    setting: 'OTEL_EXPORTER_OTLP_ENDPOINT',
  }),
);

test('the endpoint for traces wins, and is taken as it is', () =>
  expect(tracesOf({ ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other/spans/' })).toMatchObject({
    url: 'http://other/spans/',
    setting: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  }));

test('headers and attributes are lists with percent-encoded values', () => {
  const traces = tracesOf({
    ...ENDPOINT,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20YTpi==, x-tenant=a%2Cb',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,',
  });
  expect(traces?.headers).toEqual({ authorization: 'Basic YTpi==', 'x-tenant': 'a,b' });
  expect(traces?.resource).toEqual({ 'deployment.environment.name': 'test' });
});

test('headers for traces stand beside the general ones, and win', () =>
  expect(
    tracesOf({
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=general,x-tenant=one',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=traces',
    })?.headers,
  ).toEqual({ authorization: 'traces', 'x-tenant': 'one' }));

test.each([
  [{}, 1],
  [{ OTEL_TRACES_SAMPLER_ARG: '0.5' }, 1],
  [{ OTEL_TRACES_SAMPLER: 'always_off' }, 0],
  [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' }, 0.25],
  [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' }, 1],
])('%j: the share is %d', (env, share) => expect(tracesOf({ ...ENDPOINT, ...env })?.share).toBe(share));

test('a proxy is found for the endpoint that is used', () => {
  const env = { HTTP_PROXY: 'http://proxy:3128', NO_PROXY: 'collector' };
  expect(load({ ...env, ...ENDPOINT }).config.proxies.traces).toBe(null);
  expect(
    load({ ...env, ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://elsewhere' }).config.proxies
      .traces,
  ).toBe('http://proxy:3128/');
});
