import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';

/** Runs this code in a process of its own, with a logger on its standard output. */
function spawnLogging(script: string) {
  const logger = JSON.stringify(join(import.meta.dirname, 'logger.ts'));
  const code = `
    import { createLogger } from ${logger};
    const options = { level: 'info', format: 'json', redact: (text) => text, service: { name: 's', version: '1' }, accountId: 'a' };
    const log = createLogger(options);
    ${script}`;
  return spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

it('loses none of 10,000 lines when the process flushes and exits at once', async () => {
  const child = spawnLogging(`
    for (let n = 0; n < 10_000; n++) log.info('test.line', 'x'.repeat(100), { n });
    await log.flush();
    process.exit(0);`);
  const exited = once(child, 'exit');
  const seen: unknown[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const { n } = JSON.parse(line) as { n: unknown };
    seen.push(n);
  }
  expect(await exited).toEqual([0, null]);
  expect(seen).toEqual(Array.from({ length: 10_000 }, (_, n) => n));
});

it('goes on when nobody reads the log any more', async () => {
  const child = spawnLogging(`
    process.stdin.once('data', async () => {
      for (let n = 0; n < 1_000; n++) log.info('test.line', 'x'.repeat(1_000), { n });
      await log.flush();
      log.info('test.line', 'and on');
      await log.flush();
      process.stderr.write('alive');
      process.exit(0);
    });
    log.info('test.ready', 'ready');`);
  const exited = once(child, 'exit');
  const stderr = text(child.stderr);
  await once(child.stdout, 'data');
  const closed = once(child.stdout, 'close');
  child.stdout.destroy();
  await closed;
  child.stdin.write('go');
  expect(await stderr).toBe('alive');
  expect(await exited).toEqual([0, null]);
});
