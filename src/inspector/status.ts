import type { OpenRun } from '../health/project.ts';
import type { HealthReport, ProblemReport } from '../health/report.ts';
import type { ProblemView, RunView, StatusView } from './wire.ts';

/** Characters of a sentence: what others said in it may be of any length. */
const LONGEST_SENTENCE = 600;

/** What the bar of the page tells, from what `/health` tells. */
export function statusView({
  status,
  reason,
  problems,
  delivery,
  runs,
}: Pick<HealthReport, 'status' | 'reason' | 'problems' | 'delivery'> & { runs: OpenRun[] }): StatusView {
  const { delivered, failed, parked, inFlight, queued } = delivery;
  return {
    status,
    reason: bounded(reason),
    problems: problems.map(problemView),
    ...{ delivered, failed, parked, inFlight, queued },
    runs: runs.map(runView),
  };
}

/** A run that writes all the time must not make an entry for each word. */
const SIGN_STEP_MS = 2_000;

function runView({ id, since, lastSignAt, until }: OpenRun): RunView {
  const [beganAt, signAt] = [timeOf(since), timeOf(lastSignAt)];
  return {
    id,
    since: beganAt,
    lastSignAt: signAt === null ? null : Math.max(signAt - (signAt % SIGN_STEP_MS), beganAt ?? 0),
    until: timeOf(until),
  };
}

const problemView = ({ source, problem, since, nextTryAt }: ProblemReport): ProblemView => ({
  source,
  problem: bounded(problem),
  since: timeOf(since),
  nextTryAt: timeOf(nextTryAt),
});

const timeOf = (at: string | null): number | null => (at === null ? null : Date.parse(at));

const bounded = (text: string): string =>
  text.length > LONGEST_SENTENCE ? `${text.slice(0, LONGEST_SENTENCE - 1)}…` : text;

/** The same without other people's words, for a recording, because people share recordings. */
export function statusToGiveAway(view: StatusView): StatusView {
  const all = view.problems.map(({ problem }) => problem);
  const reasons = view.reason === all.join(' ') ? all : [view.reason];
  return {
    ...view,
    reason: reasons.map(ownWords).join(' '),
    problems: view.problems.map((one) => ({ ...one, problem: ownWords(one.problem) })),
  };
}

/** The text after this may quote anything, so only the log has it. */
const CRASH = /\b(uncaughtException|unhandledRejection|crashed)\b.*/s;

/**
 * A sentence without other people's words. The gateway's words stand in quotes. The words of a backend, a model
 * provider or a crash come after the first sentence.
 */
export function ownWords(reason: string): string {
  const unquoted = reason.replace(/"(?:[^"\\]|\\.)*"?/gs, '…');
  const sentence = /^.*?\.(?=\s|$)/s.exec(unquoted)?.[0] ?? unquoted;
  return sentence.replace(CRASH, '$1').slice(0, 300);
}
