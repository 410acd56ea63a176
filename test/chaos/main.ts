/** `npm run chaos`: see --help. Exit codes: 0 all held, 1 something did not, 2 a flag is wrong. */
import { monotonicMs } from '../kits/contract-backend/history.ts';
import { playChaos } from './chaos.ts';
import { HELP, readOptions, type ChaosOptions } from './options.ts';
import { reportLines } from './report.ts';
import { isClean, judge } from './verdict.ts';

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function optionsOrExit(): ChaosOptions | null {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message : String(error)} (--help lists the flags)\n`,
    );
    process.exit(2);
  }
}

const options = optionsOrExit();
if (options === null) {
  say(HELP);
} else {
  const started = monotonicMs();
  say(
    `chaos: ${options.kills} kills, seed ${options.seed}, ${options.backlog} notifications over ${options.sessions} sessions`,
  );
  const verdict = judge(await playChaos(options, say));
  for (const line of reportLines(verdict, (monotonicMs() - started) / 1_000)) say(line);
  if (!isClean(verdict)) process.exitCode = 1;
}
