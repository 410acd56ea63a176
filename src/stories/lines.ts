/** A story in lines for people: the terminal and the inspector's page show the same. No imports from Node here. */
import type { Candidate, RunReport, StoryReport, WhyAnswer } from './answer.ts';
import type { WaitedFor } from './waits.ts';

export interface Line {
  /** What the line is about; '' for one that goes on. */
  label: string;
  text: string;
}

const WAITED: Record<WaitedFor, string> = {
  session: 'for an earlier message of its session',
  gate: 'for the gateway',
  hold: 'because its agent had used up its tokens of the day',
  slot: 'for a slot',
  backoff: 'in backoff after failures',
};

/** A wait that nobody noticed is not told, in milliseconds. */
const NOTICED_MS = 100;

const ENDED: Record<NonNullable<RunReport['ended']>, string> = {
  replied: 'the agent answered',
  failed: 'failed',
  cutOff: 'cut off',
};

/** @param now the runtime's clock or ours, in milliseconds */
export function linesOf(answer: WhyAnswer, now: number): Line[] {
  if (answer.kind === 'none') return [{ label: '', text: answer.problem }];
  if (answer.kind === 'several') {
    return [{ label: '', text: answer.problem }, ...answer.candidates.map((one) => candidateLine(one, now))];
  }
  const { story, others, more } = answer;
  return [
    ...storyLines(story, now),
    ...others.map((one, i) => ({ ...candidateLine(one, now), label: i === 0 ? 'others' : '' })),
    ...(more > 0 ? [{ label: '', text: `and ${more} more` }] : []),
  ];
}

const candidateLine = ({ id, title, text, state, createdAt }: Candidate, now: number): Line => ({
  label: '',
  text: [id, title, ...(text === null ? [] : [`"${text}"`]), `${ago(createdAt, now)} ago`, state].join(' · '),
});

function storyLines(story: StoryReport, now: number): Line[] {
  const { title, text, type, id, since, next, end, createdAt, listedAt } = story;
  return [
    { label: 'who', text: title },
    ...(text === null ? [] : [{ label: 'message', text: `"${text}"` }]),
    { label: 'notification', text: `${id} (${type})` },
    {
      label: 'created',
      text: `${createdAt}, ${ago(createdAt, now)} ago${listedAt === null ? '; not listed by this process' : `; listed ${span(Date.parse(listedAt) - Date.parse(createdAt))} later`}`,
    },
    { label: end === null ? 'now' : 'ended', text: nowText(story.now, since, end, now) },
    ...(next === null
      ? []
      : [
          {
            label: 'next',
            text: `${next.sentence}${next.at === null ? '' : ` In ${span(Date.parse(next.at) - now)}.`}`,
          },
        ]),
    ...waitLines(story),
    ...runLines(story),
    ...story.failures.map(({ at, sentence, times }, i) => ({
      label: i === 0 ? 'failures' : '',
      text: `${at}  ${sentence}${times > 1 ? ` (${times} times)` : ''}`,
    })),
  ];
}

function nowText(sentence: string, since: string | null, end: StoryReport['end'], now: number): string {
  if (end !== null) return `${sentence} ${ago(end.at, now)} ago.`;
  return since === null ? sentence : `${sentence} For ${ago(since, now)}.`;
}

function waitLines({ waited }: StoryReport): Line[] {
  const told = waited.filter(({ ms }) => ms >= NOTICED_MS);
  if (told.length === 0) return [{ label: 'waited', text: 'for nothing' }];
  return [
    { label: 'waited', text: told.map(({ for: what, ms }) => `${span(ms)} ${WAITED[what]}`).join(', ') },
  ];
}

function runLines({ runs, earlierRuns }: StoryReport): Line[] {
  const lines = runs.map((run) => runText(run));
  const all = earlierRuns === 0 ? lines : [`${earlierRuns} of an earlier process`, ...lines];
  return (all.length === 0 ? ['none yet'] : all).map((text, i) => ({ label: i === 0 ? 'runs' : '', text }));
}

function runText({ startedAt, ms, rounds, toolCalls, tokens, ended }: RunReport): string {
  return [
    startedAt,
    span(ms),
    plural(rounds, 'round'),
    plural(toolCalls, 'tool call'),
    tokens === null ? 'tokens not reported' : `${count(tokens.input)} tokens in, ${count(tokens.output)} out`,
    ended === null ? 'under way' : ENDED[ended],
  ].join(' · ');
}

const plural = (value: number, word: string): string => `${count(value)} ${word}${value === 1 ? '' : 's'}`;
const count = (value: number): string => value.toLocaleString('en-GB');
const ago = (at: string, now: number): string => span(now - Date.parse(at));

/** `3.2 s`, `4 min 10 s`, `2 h 5 min`; never negative, because two clocks may differ. */
export function span(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  if (minutes < 60) return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
  const [hours, left] = [Math.floor(minutes / 60), minutes % 60];
  return left === 0 ? `${hours} h` : `${hours} h ${left} min`;
}
