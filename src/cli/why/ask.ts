/** Asks a runtime for a story. Whoever answers on that port is not trusted to be the runtime. */
import * as v from 'valibot';
import type { WhyAnswer } from '../../stories/answer.ts';

const TIMEOUT_MS = 5_000;

export type Told =
  | { kind: 'told'; answer: WhyAnswer; json: string }
  /** One sentence: what is wrong, and what to do. */
  | { kind: 'nobody'; problem: string };

/** This text came over the network and goes to a terminal, so nothing in it may steer the terminal. */
const Text = v.pipe(
  v.string(),
  v.transform((text) => text.replace(/\p{Cc}+/gu, ' ')),
);
const Time = v.pipe(v.string(), v.isoTimestamp());

const Candidate = v.object({
  id: Text,
  title: Text,
  text: v.nullable(Text),
  state: Text,
  createdAt: Time,
});

const Story = v.object({
  id: Text,
  title: Text,
  type: Text,
  agent: v.object({ id: Text, slug: v.nullable(Text) }),
  task: v.nullable(v.object({ id: Text, title: v.nullable(Text) })),
  text: v.nullable(Text),
  createdAt: Time,
  listedAt: v.nullable(Time),
  earlierRuns: v.number(),
  now: Text,
  since: v.nullable(Time),
  next: v.nullable(v.object({ sentence: Text, at: v.nullable(Time) })),
  waited: v.array(
    v.object({ for: v.picklist(['slot', 'gate', 'hold', 'session', 'backoff']), ms: v.number() }),
  ),
  runs: v.array(
    v.object({
      startedAt: Time,
      ms: v.number(),
      rounds: v.number(),
      toolCalls: v.number(),
      tokens: v.nullable(v.object({ input: v.number(), output: v.number() })),
      ended: v.nullable(v.picklist(['replied', 'failed', 'cutOff'])),
    }),
  ),
  failures: v.array(v.object({ at: Time, sentence: Text, times: v.number() })),
  end: v.nullable(v.object({ at: Time, outcome: Text, sentence: Text })),
});

const Answer: v.GenericSchema<unknown, WhyAnswer> = v.variant('kind', [
  v.object({
    kind: v.literal('story'),
    story: Story,
    others: v.array(Candidate),
    more: v.number(),
  }),
  v.object({ kind: v.literal('several'), problem: Text, candidates: v.array(Candidate) }),
  v.object({ kind: v.literal('none'), problem: Text }),
]);

/** @param urls where the runtime may be, without a path; the first that answers is taken */
export async function askWhy(urls: readonly string[], question: string): Promise<Told> {
  let told: Told = { kind: 'nobody', problem: 'There is nowhere to ask: name the runtime with --url.' };
  for (const url of urls) {
    told = await ask(url, question);
    if (told.kind === 'told') return told;
  }
  return told;
}

async function ask(url: string, question: string): Promise<Told> {
  let json: string;
  try {
    const address = new URL('/why', url);
    address.searchParams.set('q', question);
    json = await (await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS) })).text();
  } catch {
    return {
      kind: 'nobody',
      problem: `Nothing answers on ${url}/why: is the runtime running? Start it with npm run dev or npm start, or name another address with --url.`,
    };
  }
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), Answer), json);
  return parsed.success
    ? { kind: 'told', answer: parsed.output, json }
    : {
        kind: 'nobody',
        problem: `${url}/why answers, but not with a story: is that the health port of a runtime of this version?`,
      };
}
