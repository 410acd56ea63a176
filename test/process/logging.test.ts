import { createServer, type RequestListener } from 'node:http';
import { json } from 'node:stream/consumers';
import * as v from 'valibot';
import { describe, expect, onTestFinished, test } from 'vitest';
import { spawnRuntime, startRuntime, type RuntimeProcess } from '../kits/runtime.ts';
import { echoGateway, missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

describe('the log', () => {
  test('comes through a pipe as whole JSON lines, and says how each row ended', async () => {
    const backend = await missionControl({ extraTasks: 10 });
    const runtime = await startRuntime({
      backend,
      gateway: await echoGateway(),
      env: { LOG_LEVEL: 'debug' },
    });
    const delivered = await until('All rows are delivered', async () => {
      const rows = (await backend.agentRows()).filter(({ taskId }) =>
        backend.tasks.some(({ _id, title }) => _id === taskId && title.startsWith('Extra task')),
      );
      return rows.every(({ deliveredAt }) => deliveredAt !== undefined) && rows;
    });
    runtime.kill('SIGTERM');
    await runtime.exited;

    expect(runtime.stdout().endsWith('\n')).toBe(true);
    expect(runtime.noise).toEqual([]);
    expect(runtime.log.map(({ event }) => event)).toContain('machine.transition');
    expect(runtime.log.at(-1)?.event).toBe('runtime.stopped');
    for (const line of runtime.log) {
      expect(line).toMatchObject({ service: 'mission-control-runtime', account: backend.accountId });
    }
    expect(delivered.length).toBeGreaterThanOrEqual(10);
    for (const { _id } of delivered) {
      const told = runtime.log.filter(
        ({ event, notificationId }) => event.startsWith('delivery.') && notificationId === _id,
      );
      expect(told).toMatchObject([{ level: 'info', attempt: 1, durationMs: expect.any(Number) as number }]);
    }
  });

  test('has the settings in its first line as JSON, and leaves them out on a terminal', async () => {
    const backend = await missionControl();
    const linesOf = async (format: string): Promise<string> => {
      const runtime = spawnRuntime({ backend, env: { LOG_FORMAT: format } });
      await until('It has reported', async () => (await backend.showRuntime()).runtimeConfig);
      await until('It says what it takes', () => runtime.stdout().includes('\n'));
      runtime.kill('SIGTERM');
      await runtime.exited;
      return runtime.stdout();
    };
    expect(await linesOf('json')).toContain('DELIVERY_LIST_LIMIT');
    const pretty = await linesOf('pretty');
    expect(pretty).not.toContain('DELIVERY_LIST_LIMIT');
    expect(Math.max(...pretty.split('\n').map((line) => line.length))).toBeLessThan(300);
  });

  test.each([
    ['debug', ['debug', 'info', 'warn']],
    ['info', ['info', 'warn']],
    ['warn', ['warn']],
    ['error', []],
  ])('LOG_LEVEL=%s: nothing below it', async (level, levels) => {
    const backend = await missionControl();
    // The missing gateway causes a warning.
    const runtime = spawnRuntime({ backend, env: { LOG_LEVEL: level } });
    await until('It has reported', async () => (await backend.showRuntime()).runtimeConfig);
    runtime.kill('SIGTERM');
    await runtime.exited;
    expect([...new Set(runtime.log.map((line) => line.level))].sort()).toEqual(levels);
    expect(runtime.noise).toEqual([]);
  });
});

const GATEWAY_TOKEN = 'gw-0123456789abcdef0123456789abcdef';

/** Everything that the runtime puts out: its log and its endpoints. */
async function allThatItSays(runtime: RuntimeProcess): Promise<string> {
  const answers = await Promise.all(
    ['/health', '/metrics', '/version', '/readyz', '/livez', '/nowhere'].map((path) => runtime.get(path)),
  );
  runtime.kill('SIGTERM');
  await runtime.exited;
  return [...answers.map(({ body }) => body), runtime.stdout(), runtime.stderr()].join('\n');
}

describe('a secret is not shown', () => {
  test('when the errors of Convex contain it', async () => {
    const secret = 'c0ffee42'.repeat(8);
    const serviceToken = `mc_service_acc1_${secret}`;
    const words = `token ${serviceToken}, ${encodeURIComponent(serviceToken)}, ${btoa(serviceToken)}`;
    const errors = [
      { status: 200, body: { status: 'error', errorMessage: `Server Error\nUncaught Error: ${words}` } },
      {
        status: 560,
        body: { status: 'error', errorMessage: 'x', errorData: { code: words, message: words } },
      },
      { status: 500, body: { code: words, message: words } },
      { status: 200, body: words },
      // This one is last, because the runtime waits long before it asks again after a refusal.
      { status: 403, body: { code: words, message: words } },
    ];
    const callsOf = new Map<string, number>();
    const url = await serve((question, answer) => {
      if (question.method === 'GET') return void answer.end();
      void json(question).then((asked) => {
        const { path } = v.parse(v.looseObject({ path: v.string() }), asked);
        const calls = callsOf.get(path) ?? 0;
        callsOf.set(path, calls + 1);
        const { status, body } = errors[Math.min(calls, errors.length - 1)] ?? { status: 500, body: '' };
        answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    const runtime = await startRuntime({
      backend: { url, accountId: 'acc1', serviceToken },
      gateway: { ...(await echoGateway({ token: GATEWAY_TOKEN })), token: GATEWAY_TOKEN },
      env: { LOG_LEVEL: 'debug' },
    });
    await runtime.waitForHealth(
      'all kinds of errors',
      ({ delivery }) => delivery.consecutiveFailures >= errors.length,
    );
    const said = await allThatItSays(runtime);
    expect(said).toContain('***');
    expect(said).not.toContain(secret);
    expect(said).not.toContain(btoa(serviceToken));
    expect(said).not.toContain(GATEWAY_TOKEN);
  });

  test('when the errors of the gateway contain it', async () => {
    const backend = await missionControl();
    const [taskId = ''] = backend.taskIds;
    await backend.postMessage(taskId, '@engineer what is your token?');
    const words = `cannot work with ${GATEWAY_TOKEN}, ${btoa(GATEWAY_TOKEN)}`;
    const url = await serve((question, answer) => {
      const isRun = question.url === '/v1/responses';
      answer.writeHead(isRun ? 500 : 200, { 'content-type': 'application/json' });
      const failed = { object: 'response', status: 'failed', error: { code: words, message: words } };
      answer.end(JSON.stringify(isRun ? failed : { ready: true, data: [] }));
    });
    const runtime = await startRuntime({
      backend,
      gateway: { url, token: GATEWAY_TOKEN },
      env: { LOG_LEVEL: 'debug' },
    });
    await runtime.waitForHealth(
      'that the row was given up',
      ({ delivery }) => delivery.recentParks.length > 0,
    );
    const thread = await backend.listThread(taskId);
    const said = await allThatItSays(runtime);
    expect(said).toContain('cannot work with');
    expect(said).not.toContain(GATEWAY_TOKEN);
    expect(said).not.toContain(btoa(GATEWAY_TOKEN));
    expect(said).not.toContain(backend.serviceToken);
    expect(JSON.stringify(thread)).not.toContain(GATEWAY_TOKEN);
  });
});

/** @returns where the listener answers, until the test is over */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
}
