import { expect, test } from 'vitest';
import { alertQueries, dashboardQueries, startPrometheus } from '../kits/monitoring.ts';
import { holdGateway } from '../kits/held-gateway.ts';
import { startRuntime } from '../kits/runtime.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

/** Queries without a result while all is well: failures, and tools, because the echo gateway calls none here. */
const EMPTY_WHEN_WELL = [
  'Calls to Mission Control that failed',
  'Alerts that fire',
  'Calls of tools',
  'Restarts',
];

test('every query of the dashboard and of the alerts, against a Prometheus that scraped a run', async ({
  skip,
}) => {
  const backend = await missionControl();
  const gateway = await echoGateway();
  const runtime = await startRuntime({ backend, gateway });
  const prometheus = await startPrometheus(runtime.url.replace('http://', ''));
  if (prometheus === null) return skip('Prometheus is not installed (Debian: apt-get install prometheus)');

  const delivered = 'mission_control_deliveries_total{outcome="delivered"} > 0';
  await until(
    'A series from before the first delivery is stored',
    async () => (await prometheus.query('up == 1'))[0],
  );
  for (const taskId of backend.taskIds) await backend.postMessage(taskId, '@engineer look at this');
  await until('Prometheus saw a delivery', async () => (await prometheus.query(delivered))[0]);
  // A rate needs one scrape before and one after what happened.
  await until(
    'The rates know of it',
    async () => (await prometheus.query('rate(mission_control_runs_total[1m]) > 0'))[0],
  );

  const names = new Set(
    (await prometheus.query('{job="mission-control-runtime"}')).map((metric) => metric['__name__']),
  );
  const { queries } = dashboardQueries();
  for (const { title, expr } of [...queries, ...alertQueries()]) {
    for (const [name] of expr.matchAll(/\b(mission_control|process|nodejs)_\w+/g))
      expect(names, title).toContain(name);
    await prometheus.query(expr);
  }
  for (const { title, expr } of queries) {
    if (!EMPTY_WHEN_WELL.includes(title))
      expect(await prometheus.query(expr), `${title}: ${expr}`).not.toEqual([]);
  }
  const health = await prometheus.ruleHealth();
  expect(health).toEqual(Object.fromEntries(alertQueries().map(({ title }) => [title, 'ok'])));
  expect(await prometheus.query('ALERTS{alertstate="firing"}')).toEqual([]);
});

test('a scrape during the drain is answered', async () => {
  const [backend, gateway] = [await missionControl(), await holdGateway(await echoGateway())];
  const runtime = await startRuntime({ backend, gateway });
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer look at this');
  await gateway.runHeld();
  runtime.kill('SIGTERM');
  await runtime.waitForHealth('that it drains', ({ status }) => status === 'draining');
  const { status, body } = await runtime.get('/metrics');
  expect(status).toBe(200);
  expect(body).toMatch(/^mission_control_in_flight 1$/m);
  gateway.release();
  expect((await runtime.exited).code).toBe(0);
});
