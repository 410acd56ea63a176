import type { Benchmark, Report } from '../benchmark.ts';
import { settingsFor } from '../compare.ts';
import type { Figure } from '../figure.ts';
import { median } from '../numbers.ts';
import { untilConnected } from '../runtime.ts';
import { drain, onStage, type Stage } from '../stage.ts';
import { usageOf } from '../usage.ts';
import { spawnRuntime, type Worker } from '../worker.ts';
import { freePort } from '../../../src/local/free-port.ts';
import { followStream } from '../../../src/inspector/follow.ts';

const COUNT = 400;
const SESSIONS = 50;
const ROUNDS = 4;

type Mode = 'off' | 'unwatched' | 'watched';

interface Subject {
  mode: Mode;
  stage: Stage;
  runtime: Worker;
  /** Deliveries per second, one for each round. */
  rates: number[];
  /** Milliseconds of the runtime for each delivery, one for each round. */
  cpu: number[];
}

/** Three runtimes that take turns: the machine may be busier at one time than at another. */
export const inspector: Benchmark = {
  name: 'inspector',
  what: `what the inspector costs: ${COUNT} deliveries with it off, on without a viewer, and on with one`,
  run: (report) =>
    onStage({ sessions: SESSIONS }, (off) =>
      onStage({ sessions: SESSIONS }, (unwatched) =>
        onStage({ sessions: SESSIONS }, (watched) => compare(report, { off, unwatched, watched })),
      ),
    ),
};

async function compare({ figure, progress }: Report, stages: Record<Mode, Stage>): Promise<void> {
  const over = new AbortController();
  const subjects: Subject[] = [];
  let entries = 0;
  try {
    for (const mode of ['off', 'unwatched', 'watched'] as const) {
      const port = await freePort();
      const runtime = await spawnRuntime(stages[mode], {
        ...settingsFor(SESSIONS),
        INSPECTOR: mode === 'off' ? 'off' : 'on',
        INSPECTOR_PORT: String(port),
      });
      subjects.push({ mode, stage: stages[mode], runtime, rates: [], cpu: [] });
      await untilConnected(runtime);
      if (mode === 'watched') await watch(port, over.signal, (count) => (entries += count));
    }
    // The first round is for the compiler.
    for (const { stage, runtime } of subjects) await drain(stage, runtime, COUNT);
    for (let round = 0; round < ROUNDS; round++) {
      progress(`round ${round + 1} of ${ROUNDS}`);
      // Each begins as often as the others.
      const first = round % subjects.length;
      for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) await takeTurn(subject);
    }
    for (const one of figuresOf(subjects)) figure(one);
    progress(`the viewer was told ${entries} entries`);
  } finally {
    over.abort();
    await Promise.all(subjects.map(({ runtime }) => runtime.close()));
  }
}

async function takeTurn({ stage, runtime, rates, cpu }: Subject): Promise<void> {
  const before = usageOf(runtime.pid).cpuMs;
  rates.push(COUNT / (await drain(stage, runtime, COUNT)));
  cpu.push((usageOf(runtime.pid).cpuMs - before) / COUNT);
}

/** Each ratio compares turns of the same round, which are seconds apart. The figure is the median. */
function figuresOf(subjects: readonly Subject[]): Figure[] {
  const off = subjects.find(({ mode }) => mode === 'off');
  const against = (own: readonly number[], others: readonly number[] = []) =>
    own === others ? {} : { ratio: median(own.map((value, round) => value / (others[round] ?? Number.NaN))) };
  return subjects.flatMap(({ mode, rates, cpu }) => [
    {
      name: `inspector.${mode}.rate`,
      value: median(rates),
      unit: 'deliveries/s',
      ...against(rates, off?.rates),
    },
    { name: `inspector.${mode}.cpu`, value: median(cpu), unit: 'ms/delivery', ...against(cpu, off?.cpu) },
  ]);
}

/** A viewer; settles once it is greeted. */
function watch(port: number, signal: AbortSignal, count: (entries: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = followStream(`http://127.0.0.1:${port}/events`, {
      onHello: () => resolve(),
      onEntries: ({ length }) => count(length),
    });
    stream.read(signal).catch(reject);
  });
}
