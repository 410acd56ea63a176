import { expect, it } from 'vitest';
import { findRealGateway } from '../kits/gateway-server.ts';
import { watchHeaders } from '../kits/header-watch.ts';
import { otlpReceiver } from '../kits/otlp-receiver.ts';
import { startRuntime } from '../kits/runtime.ts';
import { missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

const real = await findRealGateway();

/** The gateway's mock model answers with the text behind MOCK_TEXT. */
if ('missing' in real) {
  it.skip(`the runtime with the real gateway (skipped: ${real.missing})`, () => undefined);
} else {
  it('the runtime with the real gateway: replies, silence, and its version', async () => {
    const backend = await missionControl();
    const runtime = await startRuntime({ backend, gateway: real, env: { DRAIN_TIMEOUT_MS: '5s' } });
    // The engineer is not assigned to these tasks, so it does not hear what the squad lead says about its reply.
    const taskOf = (part: string): string =>
      backend.tasks.find(({ title }) => title.includes(part))?._id ?? '';
    const [spoken, silent] = [taskOf('release notes'), taskOf('sign-up form')];
    await backend.postMessage(spoken, '@engineer MOCK_TEXT:the notes are written');
    await backend.postMessage(silent, '@engineer MOCK_TEXT:HEARTBEAT_OK');

    const engineer = (await backend.listAgents()).find(({ slug }) => slug === 'engineer');
    await until('The reply is in the thread', async () =>
      (await backend.listThread(spoken)).some(
        ({ authorId, content }) => authorId === engineer?._id && content === 'the notes are written',
      ),
    );
    await until('Both rows of the engineer are delivered', async () => {
      const rows = (await backend.agentRows()).filter(
        ({ type, taskId }) => type === 'mention' && (taskId === spoken || taskId === silent),
      );
      return rows.length === 2 && rows.every(({ deliveredAt }) => deliveredAt !== undefined);
    });
    expect((await backend.listThread(silent)).map(({ authorType }) => authorType)).toEqual(['user']);
    const told = await until(
      'The status is reported',
      async () => (await backend.showRuntime()).runtimeConfig,
    );
    expect(told.openclawVersion).toBe('2026.9.6');
    expect(await runtime.health()).toMatchObject({
      status: 'healthy',
      versions: { openclaw: '2026.9.6' },
      gateway: { state: 'connected', version: '2026.9.6' },
      delivery: { failed: 0, parked: 0 },
    });

    runtime.kill('SIGTERM');
    expect(await runtime.exited).toEqual({ code: 0, signal: null });
  });

  it('the real gateway takes a run with a traceparent', async () => {
    const [backend, receiver] = [await missionControl(), await otlpReceiver()];
    const { url, seen } = await watchHeaders(real.url);
    await startRuntime({
      backend,
      gateway: { ...real, url },
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    });
    const taskId = backend.tasks.find(({ title }) => title.includes('release notes'))?._id ?? '';
    await backend.postMessage(taskId, '@engineer MOCK_TEXT:the notes are written');
    await receiver.spanWhen(
      'the delivered message',
      ({ name, attributes }) =>
        name === 'notification mention' && attributes['mission_control.outcome'] === 'delivered',
    );
    const round = receiver.spans.find(({ name }) => name === 'chat openclaw/engineer');
    expect(round).toMatchObject({ isError: false });
    expect(seen.map(({ traceparent }) => traceparent)).toContain(
      `00-${round?.traceId ?? ''}-${round?.spanId ?? ''}-01`,
    );
  });
}
