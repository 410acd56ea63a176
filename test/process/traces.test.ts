/** Traces of the built runtime, decoded by a receiver of OTLP; and that nothing of them touches delivery. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../../src/local/free-port.ts';
import { watchHeaders } from '../kits/header-watch.ts';
import { holdGateway } from '../kits/held-gateway.ts';
import { otlpReceiver, type OtlpReceiver, type ReceivedSpan } from '../kits/otlp-receiver.ts';
import { startRuntime, temporaryDirectory, type RuntimeProcess } from '../kits/runtime.ts';
import { scriptedGateway } from '../kits/scripted-gateway.ts';
import { echoGateway, missionControl, useBackend } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

const HEADER_SECRET = 'otlp-secret-0123456789';

const traced = (receiver: OtlpReceiver): Record<string, string> => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
});

/** The span of a notification as a whole, which comes last. */
const wholeOf = (receiver: OtlpReceiver, n = 1): Promise<ReceivedSpan> =>
  until(`Notification ${n} has its trace`, () => receiver.spans.filter(isWhole)[n - 1]);

const isWhole = ({ name, parentSpanId }: ReceivedSpan): boolean =>
  name === 'notification mention' && parentSpanId === '';

const step = ({ attributes }: ReceivedSpan): unknown => attributes['mission_control.step'];

/** What was done, in our own words, in the order of the beginnings; without the waits. */
const stepsOf = (spans: readonly ReceivedSpan[]): unknown[] =>
  spans.map(step).filter((one) => one !== undefined && one !== 'wait');

const only = (spans: readonly ReceivedSpan[], what: string): ReceivedSpan => {
  const [found, ...more] = spans.filter((span) => step(span) === what);
  if (found === undefined || more.length > 0)
    throw new Error(`There are ${more.length + 1} spans of ${what}.`);
  return found;
};

const delivered = (runtime: RuntimeProcess) =>
  runtime.waitForLog('that it delivers', ({ event }) => event === 'delivery.delivered');

const stop = async (runtime: RuntimeProcess) => {
  runtime.kill('SIGTERM');
  return runtime.exited;
};

const told = (runtime: RuntimeProcess, name: string) => runtime.log.filter(({ event }) => event === name);

test('a reply is one trace, gateway and backend are told of it, and no secret or text is in it', async () => {
  const receiver = await otlpReceiver();
  const [backend, gateway] = [await missionControl(), await echoGateway()];
  const [before, behind] = [await watchHeaders(backend.url), await watchHeaders(gateway.url)];
  const runtime = await startRuntime({
    backend: { ...backend, url: before.url },
    gateway: { ...gateway, url: behind.url },
    env: {
      ...traced(receiver),
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${HEADER_SECRET},x-tenant=one`,
      OTEL_SERVICE_NAME: 'agents',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,service.name=not-this-one',
      WAKE_UP: 'off',
    },
  });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer hush hush, a login bug');
  const whole = await wholeOf(receiver);
  const spans = receiver.trace(whole.traceId);

  expect(stepsOf(spans)).toEqual(['list', 'read', 'run', 'round', 'post', 'mark']);
  const [run, round] = [only(spans, 'run'), only(spans, 'round')];
  expect(round).toMatchObject({ name: 'chat openclaw/engineer', parentSpanId: run.spanId });
  expect(round.attributes['gen_ai.usage.input_tokens']).toBeGreaterThan(0);
  expect(run).toMatchObject({
    name: 'invoke_agent engineer',
    attributes: {
      'gen_ai.agent.name': 'engineer',
      'gen_ai.usage.output_tokens': round.attributes['gen_ai.usage.output_tokens'],
      'mission_control.attempt': 1,
      'mission_control.run.outcome': 'replied',
      'mission_control.run.rounds': 1,
    },
  });
  for (const span of spans) {
    if (span !== round && span !== whole) expect(span.parentSpanId).toBe(whole.spanId);
    expect(span).toMatchObject({ isError: false, resource: whole.resource });
    expect(span.to).toBeGreaterThanOrEqual(span.from);
  }
  expect(whole.resource).toMatchObject({
    'service.name': 'agents',
    'deployment.environment.name': 'test',
    'mission_control.account.id': backend.accountId,
  });
  expect(whole.attributes).toMatchObject({ 'mission_control.outcome': 'delivered' });

  const [sent] = receiver.requests;
  expect(sent).toMatchObject({
    path: '/v1/traces',
    headers: {
      authorization: `Bearer ${HEADER_SECRET}`,
      'x-tenant': 'one',
      'content-type': 'application/x-protobuf',
    },
  });
  const header = (name: string) =>
    before.seen.filter((one) => one.name === name).map((one) => one.traceparent);
  const parentIn = (span: ReceivedSpan): string => `00-${span.traceId}-${span.spanId}-01`;
  const mentions = behind.seen.filter(({ traceparent }) => traceparent?.includes(whole.traceId));
  expect(mentions).toMatchObject([{ path: '/v1/responses', traceparent: parentIn(round) }]);
  expect(header('getNotificationForDelivery')).toContain(parentIn(only(spans, 'read')));
  expect(header('createMessageFromAgent')).toContain(parentIn(only(spans, 'post')));
  expect(header('markNotificationDelivered')).toContain(parentIn(only(spans, 'mark')));
  expect(header('listUndeliveredNotifications').filter(Boolean)).toEqual([]);

  expect(await stop(runtime)).toMatchObject({ code: 0 });
  const all = Buffer.concat(receiver.requests.map(({ body }) => body)).toString('latin1');
  for (const secret of ['hush', HEADER_SECRET, backend.serviceToken, gateway.token]) {
    expect(all).not.toContain(secret);
  }
  expect(runtime.stdout() + runtime.stderr()).not.toContain(HEADER_SECRET);
  expect(told(runtime, 'traces.opened')).toHaveLength(1);
});

test('a run that fails is one with its sentence, and the one that repeats it follows a wait', async () => {
  const [backend, receiver] = [await missionControl(), await otlpReceiver()];
  const gateway = await scriptedGateway(['engineer', 'squad-lead'], ({ agent }, before) =>
    agent === 'engineer' && before === 0 ? 'fail' : { text: 'Done.' },
  );
  await startRuntime({
    backend,
    gateway,
    env: { ...traced(receiver), OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
  });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer please look');
  const whole = await wholeOf(receiver);
  const spans = receiver.trace(whole.traceId);
  const [first, second, ...more] = spans.filter((span) => step(span) === 'run');
  expect(more).toEqual([]);
  expect(first).toMatchObject({
    isError: true,
    attributes: { 'mission_control.attempt': 1, 'mission_control.run.outcome': 'failed' },
  });
  expect(first?.status.message).toBe('The run failed: api_error: internal error');
  expect(second).toMatchObject({
    isError: false,
    attributes: { 'mission_control.attempt': 2, 'mission_control.run.outcome': 'replied' },
  });
  const rest = spans.find(({ attributes }) => attributes['mission_control.wait.for'] === 'backoff');
  expect(rest?.attributes['mission_control.wait.reason']).toBe(first?.status.message);
  expect(rest?.from).toBeGreaterThanOrEqual(first?.from ?? 0);
  expect(rest?.to).toBeLessThanOrEqual(second?.from ?? 0);
  expect(whole).toMatchObject({ isError: false, attributes: { 'mission_control.attempts': 2 } });
  expect(receiver.requests[0]?.headers['content-type']).toBe('application/json');
});

test('a call of a tool is in its run, between two rounds, and its own calls of the backend belong to it', async () => {
  const [backend, gateway, receiver] = [await missionControl(), await echoGateway(), await otlpReceiver()];
  const before = await watchHeaders(backend.url);
  await startRuntime({
    backend: { ...backend, url: before.url },
    gateway,
    env: { ...traced(receiver), WAKE_UP: 'off' },
  });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer please\nECHO_TOOL:task_load {}');
  const whole = await wholeOf(receiver);
  const spans = receiver.trace(whole.traceId);
  expect(stepsOf(spans)).toEqual(['list', 'read', 'run', 'round', 'call', 'round', 'post', 'mark']);
  const [run, call] = [only(spans, 'run'), only(spans, 'call')];
  expect(run.attributes).toMatchObject({ 'mission_control.run.rounds': 2, 'mission_control.run.calls': 1 });
  expect(call).toMatchObject({
    name: 'execute_tool task_load',
    parentSpanId: run.spanId,
    attributes: { 'gen_ai.tool.name': 'task_load', 'mission_control.call.outcome': 'ok' },
  });
  const made = before.seen.filter(
    ({ traceparent }) => traceparent === `00-${call.traceId}-${call.spanId}-01`,
  );
  expect(made.map(({ name }) => name)).toEqual(['loadTaskDetailsForAgentTool']);
});

test('a message that waits for an earlier one of its session says so, and for how long', async () => {
  const [backend, echo, receiver] = [await missionControl(), await echoGateway(), await otlpReceiver()];
  const gateway = await holdGateway(echo);
  const runtime = await startRuntime({ backend, gateway, env: traced(receiver) });
  const [taskId = ''] = backend.taskIds;
  await backend.postMessage(taskId, '@engineer the first one');
  await gateway.runHeld();
  await backend.postMessage(taskId, '@engineer the second one');
  await until('It waits', async () =>
    (await runtime.get('/why?q=the%20second%20one')).body.includes('earlier message'),
  );
  gateway.release();
  await wholeOf(receiver, 2);
  const [first, second] = receiver.spans.filter(isWhole).toSorted((a, b) => a.from - b.from);
  const run = only(receiver.trace(first?.traceId ?? ''), 'run');
  const waits = receiver
    .trace(second?.traceId ?? '')
    .filter(({ attributes }) => attributes['mission_control.wait.for'] === 'session');
  expect(waits).toHaveLength(1);
  // It begins while the first one runs, and ends when that is over.
  expect(waits[0]?.from).toBeLessThan(run.to);
  expect(waits[0]?.to).toBeGreaterThanOrEqual(run.to);
});

test('the process that goes on after a crash adds to the same trace', async () => {
  const [backend, echo, receiver] = [await missionControl(), await echoGateway(), await otlpReceiver()];
  const gateway = await holdGateway(echo);
  const env = { ...traced(receiver), STATE_DIR: temporaryDirectory() };
  const runtime = await startRuntime({ backend, gateway, env });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer please look');
  await gateway.runHeld();
  const read = await receiver.spanWhen(
    'its read',
    (span) => step(span) === 'read' && !isBeat(span, receiver),
  );
  runtime.kill('SIGKILL');
  await runtime.exited;
  gateway.release();
  await startRuntime({ backend, gateway, env });
  const whole = await wholeOf(receiver);
  expect(whole.traceId).toBe(read.traceId);
  const spans = receiver.trace(whole.traceId);
  expect(new Set(spans.map(({ resource }) => resource['service.instance.id'])).size).toBe(2);
  expect(read.parentSpanId).toBe(whole.spanId);
  // The run of the first process ended with it. Its attempt counts.
  expect(only(spans, 'run').attributes).toMatchObject({ 'mission_control.attempt': 2 });
});

const isBeat = ({ parentSpanId, traceId }: ReceivedSpan, { spans }: OtlpReceiver): boolean =>
  spans.some((span) => span.name === 'heartbeat' && span.traceId === traceId && span.spanId === parentSpanId);

test('a newer message in the row has a trace of its own, and the run that answers it is in that one', async () => {
  const [backend, echo, receiver] = [await missionControl(), await echoGateway(), await otlpReceiver()];
  const gateway = await holdGateway(echo);
  await startRuntime({ backend, gateway, env: traced(receiver) });
  // The chat's only agent hears of its messages by one row.
  const chat = backend.tasks.find(({ title }) => title.startsWith('Chat'))?._id ?? '';
  await backend.postMessage(chat, 'first question');
  await gateway.runHeld();
  await backend.postMessage(chat, 'second question');
  gateway.release();
  const second = await receiver.spanWhen(
    'the second message',
    ({ attributes }) => attributes['mission_control.outcome'] === 'delivered',
  );
  const first = await receiver.spanWhen(
    'the first message',
    ({ attributes }) => attributes['mission_control.moved_on'] === true,
  );
  expect(first.traceId).not.toBe(second.traceId);
  expect(first.attributes['mission_control.notification.id']).toBe(
    second.attributes['mission_control.notification.id'],
  );
  expect(stepsOf(receiver.trace(first.traceId))).toEqual(['list', 'read', 'run', 'round', 'post', 'check']);
  expect(stepsOf(receiver.trace(second.traceId)).slice(0, 3)).toEqual(['run', 'round', 'post']);
});

test('a heartbeat is a trace as well', async () => {
  const [backend, gateway, receiver] = [await missionControl(), await echoGateway(), await otlpReceiver()];
  const behind = await watchHeaders(gateway.url);
  // In minutes. The first beat comes within 0.4 of this time.
  await backend.setProfile({ slug: 'engineer', heartbeatInterval: 0.05 });
  await startRuntime({ backend, gateway: { ...gateway, url: behind.url }, env: traced(receiver) });
  const whole = await receiver.spanWhen('a heartbeat', ({ name }) => name === 'heartbeat');
  const spans = receiver.trace(whole.traceId);
  expect(stepsOf(spans)).toEqual(['read', 'run', 'round', 'report']);
  expect(whole.attributes).toMatchObject({ 'mission_control.outcome': 'beaten' });
  const { traceId, spanId } = only(spans, 'round');
  expect(behind.seen.map(({ traceparent }) => traceparent)).toContain(`00-${traceId}-${spanId}-01`);
});

test('where the backend does all in one call, post and mark are one span', async () => {
  useBackend('extended');
  const [backend, gateway, receiver] = [await missionControl(), await echoGateway(), await otlpReceiver()];
  useBackend('plain');
  await startRuntime({ backend, gateway, env: traced(receiver) });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer please look');
  const spans = receiver.trace((await wholeOf(receiver)).traceId);
  expect(stepsOf(spans)).toEqual(['list', 'read', 'run', 'round', 'post and mark']);
});

test('an endpoint that is away is told once, and once when it is back; deliveries do not notice', async () => {
  const [backend, gateway, receiver] = [await missionControl(), await echoGateway(), await otlpReceiver()];
  await receiver.close();
  const runtime = await startRuntime({ backend, gateway, env: traced(receiver) });
  const [taskId = ''] = backend.taskIds;
  await backend.postMessage(taskId, '@engineer please look');
  await delivered(runtime);
  const line = await runtime.waitForLog(
    'that traces cannot be sent',
    ({ event }) => event === 'traces.unsent',
  );
  expect(line).toMatchObject({
    level: 'warn',
    message: `Traces cannot be sent: OTEL_EXPORTER_OTLP_ENDPOINT (${receiver.url}/v1/traces) cannot be reached (ECONNREFUSED). Delivery goes on without them.`,
  });
  await receiver.open();
  await backend.postMessage(taskId, '@engineer and this');
  await runtime.waitForLog('that traces are sent again', ({ event }) => event === 'traces.sent');
  receiver.behave({ status: 401 });
  await backend.postMessage(taskId, '@engineer and that');
  await until('It is told again', () => told(runtime, 'traces.unsent').length === 2);
  expect(told(runtime, 'traces.unsent')[1]?.message).toContain(
    'answers HTTP 401: check OTEL_EXPORTER_OTLP_HEADERS',
  );
  expect(told(runtime, 'traces.sent')).toHaveLength(1);
  expect(await stop(runtime)).toMatchObject({ code: 0 });
  expect([runtime.noise, runtime.stderr()]).toEqual([[], '']);
});

test('an endpoint that takes requests and never answers holds up neither deliveries nor the end', async () => {
  const [backend, gateway, receiver] = [await missionControl(), await echoGateway(), await otlpReceiver()];
  receiver.behave('hang');
  const runtime = await startRuntime({ backend, gateway, env: traced(receiver) });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer please look');
  await delivered(runtime);
  await until('A request hangs', () => receiver.requests.length > 0);
  // An export of its own would wait for ten seconds; the receiver does not answer for as long as the test lasts.
  expect(await stop(runtime)).toMatchObject({ code: 0 });
  expect(told(runtime, 'runtime.stopped')).toHaveLength(1);
  expect([runtime.noise, runtime.stderr()]).toEqual([[], '']);
  expect(receiver.spans).toEqual([]);
});

test('a share of the traces: those left out are sent nowhere, and the gateway is told that they are not kept', async () => {
  const [backend, gateway, receiver] = [await missionControl(), await echoGateway(), await otlpReceiver()];
  const behind = await watchHeaders(gateway.url);
  const env = { ...traced(receiver), OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' };
  const runtime = await startRuntime({ backend, gateway: { ...gateway, url: behind.url }, env });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer please look');
  await delivered(runtime);
  expect(behind.seen.flatMap(({ traceparent }) => traceparent ?? [])).toContainEqual(
    expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-00$/),
  );
  expect(await stop(runtime)).toMatchObject({ code: 0 });
  expect(receiver.requests).toEqual([]);
});

const DIST = join(import.meta.dirname, '../../dist');

/** Writes the address of every module that the process loads into a file. */
function loadHook(): { options: string; loaded: () => string } {
  const dir = temporaryDirectory();
  const [hook, list] = [join(dir, 'hook.mjs'), join(dir, 'loaded.txt')];
  writeFileSync(list, '');
  writeFileSync(
    hook,
    `import { registerHooks } from 'node:module';
     import { appendFileSync } from 'node:fs';
     registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(list)}, url + '\\n'); return next(url, context); } });`,
  );
  return { options: `--import=${hook}`, loaded: () => readFileSync(list, 'utf8') };
}

test('without the setting nothing of OpenTelemetry is loaded, and no header goes out', async () => {
  const [backend, gateway, receiver] = [await missionControl(), await echoGateway(), await otlpReceiver()];
  const behind = await watchHeaders(gateway.url);
  const sources = (file: string): string[] =>
    (JSON.parse(readFileSync(join(DIST, `${file}.map`), 'utf8')) as { sources: string[] }).sources;
  const ofOpenTelemetry = (file: string) =>
    sources(file).filter((path) => /@opentelemetry\/(?!api\/)/.test(path));
  // It is in a file of its own, and in that alone. Its API, which does nothing by itself, comes with prom-client.
  expect(ofOpenTelemetry('runtime.cjs')).toEqual([]);
  expect(ofOpenTelemetry('traces.cjs').length).toBeGreaterThan(10);

  const [off, on] = [loadHook(), loadHook()];
  const around = { backend, gateway: { ...gateway, url: behind.url } };
  const plain = await startRuntime({ ...around, env: { NODE_OPTIONS: off.options } });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer please look');
  await delivered(plain);
  expect(await stop(plain)).toMatchObject({ code: 0 });
  expect(behind.seen.some(({ path }) => path === '/v1/responses')).toBe(true);
  expect(behind.seen.flatMap(({ traceparent }) => traceparent ?? [])).toEqual([]);
  expect(off.loaded()).toContain('/dist/runtime.cjs');
  expect(off.loaded()).not.toContain('traces.cjs');

  const tracing = await startRuntime({ ...around, env: { ...traced(receiver), NODE_OPTIONS: on.options } });
  expect(on.loaded()).toContain('/dist/traces.cjs');
  expect(await stop(tracing)).toMatchObject({ code: 0 });
});

test('an endpoint nobody listens on does not hold up the start', async () => {
  const [backend, gateway] = [await missionControl(), await echoGateway()];
  const env = { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://127.0.0.1:${await freePort()}/own/path` };
  const runtime = await startRuntime({ backend, gateway, env });
  await runtime.waitForHealth('that it delivers', ({ gateway: { state } }) => state === 'connected');
  expect(told(runtime, 'traces.opened')[0]?.message).toContain(
    '/own/path (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)',
  );
  expect(await stop(runtime)).toMatchObject({ code: 0 });
});
