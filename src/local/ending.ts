/** How `npm run dev` ends: by Ctrl-C, or because one of its processes is gone. It always says why, and what is kept. */
import * as v from 'valibot';
import { exitCodes } from '../config/exit-codes.ts';
import { EXIT, SAME_SIGNAL_MS } from '../../machines/supervisor/context.ts';
import type { RuntimeProcess } from './runtime-process.ts';
import { DATA_DIR } from './session.ts';

interface Stack {
  backend: { exited: Promise<number | null> };
  gateway: { exited: Promise<number | null> };
  runtime: RuntimeProcess;
  healthUrl: string;
  print: (line: string) => void;
}

/** @returns the exit code once the runtime is gone; 1 if another process ended before it */
export async function watchTheEnd({ backend, gateway, runtime, healthUrl, print }: Stack): Promise<number> {
  const end = { signalledAt: -Infinity, isNear: false, isBroken: false };

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (performance.now() - end.signalledAt < SAME_SIGNAL_MS) return;
      end.signalledAt = performance.now();
      if (end.isNear) print(`${signal} again: runs are cut off and their messages handed back.`);
      else void sayWhatIsOpen(signal, healthUrl, print);
      end.isNear = true;
      runtime.stop(signal);
    });
  }
  const watch = (child: Stack['backend'], what: string, kept: string): void =>
    void child.exited.then((code) => {
      if (end.isNear) return;
      print(`${what} ended ${howItEnded(code)}; its last lines are above. ${kept} Stopping the rest.`);
      Object.assign(end, { isNear: true, isBroken: true });
      runtime.stop('SIGTERM');
    });
  watch(backend, 'The local Mission Control', `What it has is kept in ${DATA_DIR}.`);
  watch(gateway, 'The echo gateway', 'Nothing is lost: the messages wait in Mission Control.');

  const code = await runtime.exited;
  if (!end.isNear || code !== EXIT.stopped) {
    const meaning = exitCodes.find((known) => known.code === code)?.meaning;
    const why = meaning === undefined ? '' : ` (${meaning})`;
    print(`The runtime ended ${howItEnded(code)}${why}; its last lines are above.`);
  }
  end.isNear = true;
  return end.isBroken ? 1 : code;
}

const howItEnded = (code: number | null): string =>
  code === null ? 'by a signal' : `with exit code ${code}`;

const Health = v.object({ delivery: v.object({ inFlight: v.number() }) });

async function sayWhatIsOpen(signal: string, healthUrl: string, print: Stack['print']): Promise<void> {
  const open = await openRuns(healthUrl);
  if (open === 0) {
    print(`${signal}: stopping; no run is open.`);
    return;
  }
  const runs = open === null ? 'the runs that are open' : `${open} ${open === 1 ? 'run' : 'runs'}`;
  const limit = process.env['DRAIN_TIMEOUT_MS'] ?? '25s';
  print(
    `${signal}: stopping. The runtime waits for ${runs}, at most ${limit} (DRAIN_TIMEOUT_MS); Ctrl-C again cuts them off.`,
  );
}

/** null when the runtime does not say. */
async function openRuns(healthUrl: string): Promise<number | null> {
  try {
    const answer = await fetch(`${healthUrl}/health`, { signal: AbortSignal.timeout(1_000) });
    return v.parse(Health, await answer.json()).delivery.inFlight;
  } catch {
    return null;
  }
}
