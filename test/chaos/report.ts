import { availableParallelism, cpus } from 'node:os';
import { isClean, type Verdict } from './verdict.ts';

const SHOWN = 5;

/** The figures, one per line, each with the machine they were taken on; then what is broken, and the last word. */
export function reportLines(verdict: Verdict, seconds: number): string[] {
  const { broken, repeats, kills } = verdict;
  const machine = `${availableParallelism()} cores, ${(cpus()[0]?.model ?? 'unknown').trim()}, Node ${process.version}`;
  const repeated = repeats.cutByKill + repeats.inTheInstant;
  const instant = `${repeats.inTheInstant} (longest ${repeats.longestInstantMs.toFixed(1)} ms)`;
  const figures: [string, string | number][] = [
    ['kills', kills],
    ['processes', verdict.lives],
    ['notifications', verdict.notifications],
    ['runs', verdict.runs],
    ...Object.entries(broken).map(([name, cases]): [string, number] => [name, cases.length]),
    ['runs repeated per kill', (repeated / Math.max(1, kills)).toFixed(2)],
    ['  of them cut by the kill', repeats.cutByKill],
    ['  of them completed in the instant before the kill', instant],
    ['runs cut by a second SIGTERM', repeats.cutByAbort],
    ['runs that the gateway let fail', repeats.injected],
    ['notifications given up after 5 attempts', verdict.notes],
    ['second replies, to a message that came during the run', verdict.secondReplies],
    ['seconds', seconds.toFixed(0)],
  ];
  return [
    ...figures.map(([name, value]) => `${name}: ${value}  [${machine}]`),
    ...Object.values(broken).flatMap((cases) => casesOf(cases, verdict)),
    isClean(verdict) ? 'chaos: all guarantees held' : 'chaos: BROKEN, see above',
  ];
}

const casesOf = (cases: string[], { storyOf }: Verdict): string[] => [
  ...cases
    .slice(0, SHOWN)
    .flatMap((line) => [`  ! ${line}`, ...storyOf(line).map((moment) => `      ${moment}`)]),
  ...(cases.length > SHOWN ? [`  ! and ${cases.length - SHOWN} more like it`] : []),
];
