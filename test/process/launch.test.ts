/** The ways in which people start the runtime, and how their signals reach it. */
import { accessSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { midRun, replies, REPLY, secondSignalCounts, theRow, type Scene } from '../kits/mid-run.ts';
import { startRuntime } from '../kits/runtime.ts';
import { missionControl } from '../kits/stack.ts';
import { until } from '../kits/until.ts';

const NPM_START = { command: 'npm', args: ['start'] };

const isThere = (path: string): boolean => {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
};

/** Sends the signal to the whole foreground group, as a terminal does. */
const pressCtrlC = ({ runtime }: Scene): void => void process.kill(-runtime.pid, 'SIGINT');

const isGone = async (url: string): Promise<boolean> =>
  fetch(`${url}/livez`).then(
    () => false,
    () => true,
  );

const isDraining = ({ runtime }: Scene) =>
  runtime.waitForHealth('that it drains', ({ status }) => status === 'draining');

describe.each(['/bin/bash', '/bin/dash'].filter(isThere))('npm start, where its shell is %s', (shell) => {
  const start = () => midRun({ npm_config_script_shell: shell }, NPM_START);

  test('one Ctrl-C in a terminal is one signal, however often it is passed on', async () => {
    const scene = await start();
    // npm passes on the signal that the terminal has sent already, so the runtime gets it twice.
    pressCtrlC(scene);
    await secondSignalCounts(scene);
    scene.gateway.release();
    await scene.runtime.exited;
    expect(scene.runtime.log.at(-1)).toMatchObject({ event: 'runtime.stopped', exitCode: 0 });
    expect(await replies(scene)).toEqual([REPLY]);
  });

  test('a second Ctrl-C cuts the runs off', async () => {
    const scene = await start();
    pressCtrlC(scene);
    await secondSignalCounts(scene);
    pressCtrlC(scene);
    await scene.runtime.exited;
    expect(await replies(scene)).toEqual([]);
    expect((await theRow(scene))?.deliveryEndedAt).toBeDefined();
  });

  test('SIGTERM to npm alone, as from a service manager: the runtime leaves as well', async () => {
    const scene = await start();
    scene.runtime.kill('SIGTERM');
    await isDraining(scene);
    scene.gateway.release();
    await until('The runtime is gone', () => isGone(scene.runtime.url));
    expect(await replies(scene)).toEqual([REPLY]);
  });
});

test.runIf(isThere('/bin/bash') && isThere('/usr/bin/nohup'))(
  'nohup: SIGHUP is ignored, SIGTERM is not',
  async () => {
    // `_` is how bash names the command that it runs.
    const script = 'nohup "$0" dist/main.js; exit $?';
    const runtime = await startRuntime({
      backend: await missionControl(),
      through: { command: '/bin/bash', args: ['-c', `trap '' HUP TERM; ${script}`, process.execPath] },
    });
    process.kill(-runtime.pid, 'SIGHUP');
    // If the runtime had heeded the first signal, the second one would find it draining.
    process.kill(-runtime.pid, 'SIGTERM');
    await runtime.exited;
    expect(runtime.log.filter(({ event }) => event === 'runtime.draining')).toMatchObject([
      { signal: 'SIGTERM' },
    ]);
    expect(runtime.log.at(-1)?.message).toBe('stopped by SIGTERM');
  },
);
