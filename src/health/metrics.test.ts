import { setTimeout as delay } from 'node:timers/promises';
import { Gauge } from 'prom-client';
import { expect, test } from 'vitest';
import { until } from '../../test/kits/until.ts';
import { toOpenMetrics } from './exposition.ts';
import { createMetrics } from './metrics.ts';
import type { Levels } from './metrics.ts';

const IDLE: Levels = {
  inFlight: 0,
  queued: 0,
  waiting: 0,
  queueAgeSeconds: 0,
  consecutiveFailures: 0,
  stalledRuns: 0,
  agentsAtRest: 0,
  deadLetters: 0,
  gatewayUp: false,
  gate: 'closed',
  machines: [],
};

const linesOf = (text: string): string[] =>
  text.split('\n').filter((line) => line.startsWith('mission_control_'));

test('begins with the build, every delivery outcome at 0, and the process and Node metrics', async () => {
  const text = await createMetrics('1.2.3', '.').render(IDLE);
  expect(linesOf(text)).toEqual(
    expect.arrayContaining([
      'mission_control_build_info{version="1.2.3"} 1',
      'mission_control_deliveries_total{outcome="delivered"} 0',
      'mission_control_deliveries_total{outcome="parked"} 0',
      'mission_control_gateway_up 0',
    ]),
  );
  expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
  expect(text).toMatch(/^nodejs_heap_size_used_bytes \d+/m);
});

test('every counter and histogram has its series at 0 from the first scrape', async () => {
  const metrics = createMetrics('1', '.');
  const text = await metrics.render(IDLE);
  const families = metrics.registry
    .getMetricsAsArray()
    .filter(({ name }) => name.startsWith('mission_control_'));
  const counted = families.filter((metric) => !(metric instanceof Gauge)).map(({ name }) => name);
  expect(counted).toHaveLength(11);
  for (const name of counted) {
    expect(text).toMatch(new RegExp(`^${name}(?:_count)?(?:\\{[^}]*\\})? 0$`, 'm'));
  }
  // Bounded, however long it runs: the labels are closed sets.
  expect(linesOf(text).length).toBeLessThan(800);
});

test('a new agent has its series at 0; of very many agents the last share one', async () => {
  const metrics = createMetrics('1', '.');
  metrics.agents(['engineer']);
  expect(linesOf(await metrics.render(IDLE))).toContain(
    'mission_control_tokens_total{agent="engineer",direction="input"} 0',
  );
  metrics.agents(Array.from({ length: 1_000 }, (_, index) => `agent-${index}`));
  metrics.tokens('agent-999', { inputTokens: 5, outputTokens: 2 });
  metrics.tokens('engineer', { inputTokens: 11, outputTokens: 7 });
  const lines = linesOf(await metrics.render(IDLE)).filter((line) => line.includes('tokens_total'));
  expect(lines).toHaveLength(2 * 201);
  expect(lines).toEqual(
    expect.arrayContaining([
      'mission_control_tokens_total{agent="other",direction="input"} 5',
      'mission_control_tokens_total{agent="engineer",direction="output"} 7',
    ]),
  );
});

test('a tool that a model made up is no label', async () => {
  const metrics = createMetrics('1', '.');
  metrics.toolCall('task_status', 'ok', 0.2);
  metrics.toolCall('rm -rf', 'not_allowed', 0.01);
  const lines = linesOf(await metrics.render(IDLE));
  expect(lines).toContain('mission_control_tool_calls_total{tool="task_status",outcome="ok"} 1');
  expect(lines).toContain('mission_control_tool_calls_total{tool="unknown",outcome="not_allowed"} 1');
  expect(lines).toContain('mission_control_tool_call_duration_seconds_count 2');
});

test('OpenMetrics: families of counters without _total, samples with it, no blank line, a mark at the end', async () => {
  const metrics = createMetrics('1', '.');
  metrics.delivery('silent');
  const lines = toOpenMetrics(await metrics.render(IDLE)).split('\n');
  expect(lines).toContain('# TYPE mission_control_deliveries counter');
  expect(lines).toContain('mission_control_deliveries_total{outcome="silent"} 1');
  expect(lines).toContain('# TYPE process_cpu_seconds counter');
  expect(lines.slice(-2)).toEqual(['# EOF', '']);
  expect(lines.slice(0, -1)).not.toContain('');
  expect(lines.filter((line) => /^# TYPE \S+_total counter$/.test(line))).toEqual([]);
});

test('counts what happened', async () => {
  const metrics = createMetrics('1', '.');
  metrics.delivery('delivered');
  metrics.delivery('delivered');
  metrics.parked('attemptsSpent');
  metrics.run('replied', 12);
  metrics.run('runTimedOut', 601);
  metrics.childRestart('gateway');
  metrics.backendCall('markNotificationDelivered', 'backendUnavailable');
  expect(linesOf(await metrics.render(IDLE))).toEqual(
    expect.arrayContaining([
      'mission_control_deliveries_total{outcome="delivered"} 2',
      'mission_control_parked_total{reason="attemptsSpent"} 1',
      'mission_control_runs_total{outcome="replied"} 1',
      'mission_control_runs_total{outcome="runTimedOut"} 1',
      'mission_control_run_duration_seconds_bucket{le="10"} 0',
      'mission_control_run_duration_seconds_bucket{le="20"} 1',
      'mission_control_run_duration_seconds_bucket{le="600"} 1',
      'mission_control_run_duration_seconds_bucket{le="+Inf"} 2',
      'mission_control_run_duration_seconds_sum 613',
      'mission_control_child_restarts_total{child="gateway"} 1',
      'mission_control_backend_calls_total{function="markNotificationDelivered",outcome="backendUnavailable"} 1',
    ]),
  );
});

test('shows the levels of this very scrape, and drops the states that were left', async () => {
  const metrics = createMetrics('1', '.');
  const machines = [{ id: 'delivery', value: { gate: 'closed', poll: 'standby' } }];
  await metrics.render({ ...IDLE, machines });
  const later: Levels = {
    inFlight: 2,
    queued: 7,
    waiting: 9,
    queueAgeSeconds: 12,
    consecutiveFailures: 3,
    stalledRuns: 0,
    agentsAtRest: 0,
    deadLetters: 0,
    gatewayUp: true,
    gate: 'trial',
    machines: [{ id: 'delivery', value: { gate: 'open', poll: 'standby' } }],
  };
  const lines = linesOf(await metrics.render(later));
  expect(lines).toEqual(
    expect.arrayContaining([
      'mission_control_in_flight 2',
      'mission_control_queued 7',
      'mission_control_waiting 9',
      'mission_control_queue_age_seconds 12',
      'mission_control_delivery_consecutive_failures 3',
      'mission_control_gateway_up 1',
      'mission_control_gate{state="closed"} 0',
      'mission_control_gate{state="trial"} 1',
      'mission_control_gate{state="open"} 0',
    ]),
  );
  expect(lines.filter((line) => line.startsWith('mission_control_state{'))).toEqual([
    'mission_control_state{machine="delivery",state="gate.open"} 1',
    'mission_control_state{machine="delivery",state="poll.standby"} 1',
  ]);
});

test('tells of a blocked event loop, and of none where it is idle: the sampling interval is no delay', async () => {
  const metrics = createMetrics('1', '.');
  const p99 = async (): Promise<number> => {
    // Longer than the sampling interval.
    await delay(300);
    const text = await metrics.render(IDLE);
    return Number(/^nodejs_eventloop_lag_p99_seconds (.+)$/m.exec(text)?.[1]);
  };
  await until('A block shows', async () => {
    await delay(300);
    const end = performance.now() + 500;
    while (performance.now() < end);
    return (await p99()) >= 0.2;
  });
  await until('It is idle again', async () => {
    const seconds = await p99();
    return seconds > 0 && seconds < 0.09;
  });
});
