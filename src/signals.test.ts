import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

test('every signal is an event, as often as it comes: none kills the process', async () => {
  const code = `
    import { listenToSignals } from ${JSON.stringify(new URL('signals.ts', import.meta.url).href)};
    const heard = [];
    listenToSignals((event) => console.log(heard.push(event), JSON.stringify(event)));
    console.log('ready');
    const waiting = setInterval(() => heard.length === 5 && clearInterval(waiting), 5);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said: unknown[] = [(await lines.next()).value];
  for (const signal of ['SIGTERM', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const) {
    child.kill(signal);
    said.push((await lines.next()).value);
  }
  expect(said).toEqual([
    'ready',
    '1 {"type":"signal.terminate","signal":"SIGTERM"}',
    '2 {"type":"signal.terminate","signal":"SIGTERM"}',
    '3 {"type":"signal.terminate","signal":"SIGINT"}',
    '4 {"type":"signal.terminate","signal":"SIGHUP"}',
    '5 {"type":"signal.upgrade"}',
  ]);
  expect(await exited).toEqual([0, null]);
});
