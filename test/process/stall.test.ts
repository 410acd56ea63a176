/** An open run: when the gateway last sent anything, and what is reported when it sends nothing. */
import type { ServerResponse } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { serveHttp } from '../kits/gateway-server.ts';
import { startRuntime, type Health } from '../kits/runtime.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

/** A gateway whose runs stay open until the test answers them. An echo gateway answers everything else. */
async function quietGateway() {
  const behind = await echoGateway();
  const open: ServerResponse[] = [];
  const server = await serveHttp((request, response) => {
    const isRun = request.url === '/v1/responses';
    if (isRun && !String(request.headers['x-openclaw-session-key']).includes(':system:')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      open.push(response);
    } else if (isRun) {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"no heartbeats here"}}');
    } else {
      const { authorization = '' } = request.headers;
      void fetch(`${behind.url}${request.url ?? ''}`, { headers: { authorization } }).then(async (answer) => {
        response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
        response.end(await answer.text());
      });
    }
  });
  onTestFinished(() => server.close());
  return {
    gateway: { url: server.url, token: behind.token },
    run: () => until('A run is open', () => open.at(-1)),
  };
}

const stalls = ({ problems }: Health) => problems.filter(({ source }) => source.startsWith('run:'));
const valueOf = (text: string, name: string): number =>
  Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);

test('/health, the metrics and the log report a silent run once; a sign of life or its end takes the report back', async () => {
  const [backend, { gateway, run }] = [await missionControl(), await quietGateway()];
  const runtime = await startRuntime({ backend, gateway, env: { STALL_AFTER: '2s' } });
  await runtime.waitForHealth('that the gateway is there', (health) => health.gateway.state === 'connected');
  await backend.postMessage(backend.taskIds[0] ?? '', '@engineer hello');
  const response = await run();

  const health = await runtime.waitForHealth('the silence', (one) => stalls(one).length > 0);
  const title = health.sessions.shown.find(({ lastSignAt }) => lastSignAt !== null)?.title ?? '';
  const [agent = '', task = ''] = title.split(' · ');
  expect(stalls(health)[0]?.problem).toBe(
    `The run of ${agent} on "${task}" is open and the gateway has sent nothing for 2 s. It goes on until it answers or OPENCLAW_REQUEST_TIMEOUT_MS is over.`,
  );
  expect(health.status).toBe('degraded');
  const session = health.sessions.shown.find((one) => one.title === title);
  expect(session?.value).toEqual({ working: { running: 'silent' } });
  const signAt = Date.parse(session?.lastSignAt ?? '');
  expect(signAt).toBeLessThanOrEqual(Date.now() - 1_500);
  expect(Date.parse(session?.until ?? '')).toBeGreaterThan(Date.now() + 500_000);
  const told = (await runtime.get('/metrics')).body;
  expect(valueOf(told, 'mission_control_stalled_runs')).toBe(1);
  expect(valueOf(told, 'mission_control_run_stalls_total')).toBe(1);

  response.write(': still here\n\n');
  await runtime.waitForHealth('the sign', (one) => stalls(one).length === 0);
  const heard = await runtime.health();
  const now = heard.sessions.shown.find((one) => one.title === title);
  expect(Date.parse(now?.lastSignAt ?? '')).toBeGreaterThan(signAt);
  expect(now?.since).toBe(session?.since);

  await runtime.waitForHealth('the next silence', (one) => stalls(one).length > 0);
  const again = (await runtime.get('/metrics')).body;
  expect(valueOf(again, 'mission_control_run_stalls_total')).toBe(1);
  expect(runtime.log.filter(({ event }) => event === 'run.stalled')).toHaveLength(1);
  response.destroy();
  await runtime.waitForHealth('the end', (one) => stalls(one).length === 0);
});
