import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { until } from '../../test/kits/until.ts';
import { createMetrics } from './metrics.ts';
import type { Levels } from './metrics.ts';

const IDLE: Levels = { inFlight: 0, queued: 0, consecutiveFailures: 0, gatewayUp: false, machines: [] };

const linesOf = (text: string): string[] =>
  text.split('\n').filter((line) => line.startsWith('mission_control_'));

test('begins with the build, every delivery outcome at 0, and the process and Node metrics', async () => {
  const text = await createMetrics('1.2.3').render(IDLE);
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

test('counts what happened', async () => {
  const metrics = createMetrics('1');
  metrics.delivery('delivered');
  metrics.delivery('delivered');
  metrics.parked('attemptsSpent');
  metrics.run('replied', 12);
  metrics.run('runTimedOut', 601);
  metrics.childRestart('gateway');
  metrics.backendCall('markDelivered', 'backendUnavailable');
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
      'mission_control_backend_calls_total{function="markDelivered",outcome="backendUnavailable"} 1',
    ]),
  );
});

test('shows the levels of this very scrape, and drops the states that were left', async () => {
  const metrics = createMetrics('1');
  const machines = [{ id: 'delivery', value: { gate: 'closed', poll: 'standby' } }];
  await metrics.render({ ...IDLE, machines });
  const later: Levels = {
    inFlight: 2,
    queued: 7,
    consecutiveFailures: 3,
    gatewayUp: true,
    machines: [{ id: 'delivery', value: { gate: 'open', poll: 'standby' } }],
  };
  const lines = linesOf(await metrics.render(later));
  expect(lines).toEqual(
    expect.arrayContaining([
      'mission_control_in_flight 2',
      'mission_control_queued 7',
      'mission_control_delivery_consecutive_failures 3',
      'mission_control_gateway_up 1',
    ]),
  );
  expect(lines.filter((line) => line.startsWith('mission_control_state{'))).toEqual([
    'mission_control_state{machine="delivery",state="gate.open"} 1',
    'mission_control_state{machine="delivery",state="poll.standby"} 1',
  ]);
});

test('tells of a blocked event loop, and of none where it is idle: the sampling interval is no delay', async () => {
  const metrics = createMetrics('1');
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
