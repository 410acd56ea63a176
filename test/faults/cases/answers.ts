/** Answers in every form: each is one run, and its text is in the thread. */
import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import {
  completed,
  CREATED,
  delta,
  DONE,
  event,
  message,
  refusal,
  text,
  typed,
} from '../../kits/answer-streams.ts';
import type { Fate } from '../../kits/picky-gateway.ts';
import type { FaultCase } from '../case.ts';
import { allSay, answers, assign, OTHERS, runsOf, said, setScene, type Scene } from '../scene.ts';
import { inSeconds, within } from '../wait.ts';

interface Variant {
  body: string;
  said: string;
  type?: string;
}

const FINE = 'All fine.';
const ITEM = message(text(FINE));
const UNDERSTOOD = 'the form is odd, and the answer is understood';

/** The piece stands in the middle of a good stream, and before it. */
const around = (...pieces: string[]): Variant[] =>
  pieces.flatMap((piece) => [
    { body: CREATED + delta(FINE) + piece + completed(ITEM) + DONE, said: FINE },
    { body: piece + CREATED + delta(FINE) + completed(ITEM) + DONE, said: FINE },
  ]);

/** The run ends with these events. */
const ending = (body: string, words = FINE): Variant => ({ body: CREATED + body, said: words });

const streams = (body: string, type = 'text/event-stream'): Fate => ({
  kind: 'writes',
  write: (response) => void response.writeHead(200, { 'content-type': type }).end(body),
});

/** One task for each variant, in a scene whose gateway answers it so. */
async function assignAll(scene: Scene, variants: readonly unknown[]): Promise<string[]> {
  const tasks: string[] = [];
  for (const n of variants.keys()) {
    tasks.push(await assign(scene, OTHERS[n % OTHERS.length] ?? '', `Variant ${n};`));
  }
  return tasks;
}

/** @returns the variant that a run is about; undefined for a run about something else */
const variantIn = <T>(variants: readonly T[], prompt: string): T | undefined =>
  variants.find((_, n) => prompt.includes(`Variant ${n};`));

/** Each variant is one run, and one message in its thread. @returns the figure */
export async function expectEachOnce(
  variants: readonly { said: string }[],
  fate: (n: number) => Fate,
): Promise<string> {
  const scene = await setScene(({ prompt }) => {
    const n = variants.findIndex((_, at) => prompt.includes(`Variant ${at};`));
    return n === -1 ? answers(FINE, 10) : fate(n);
  });
  const tasks = await assignAll(scene, variants);
  const took = await allSay(scene, tasks, 40, 'Every form is answered');
  for (const [n, taskId] of tasks.entries()) {
    expect(await said(scene, taskId)).toEqual([variants[n]?.said]);
    expect(runsOf(scene, `Variant ${n};`), `runs of form ${n}`).toHaveLength(1);
  }
  return `${variants.length} forms, 1 run each, 0 notes, all in their threads within ${inSeconds(took)}`;
}

/** A table of forms in one scenario. */
const tells = (name: string, what: string, variants: readonly Variant[]): FaultCase => ({
  name,
  what: `${what}: one run each, the text in the thread`,
  nothingToName: UNDERSTOOD,
  run: () =>
    expectEachOnce(variants, (n) =>
      streams(variants[n]?.body ?? '', variants[n]?.type ?? 'text/event-stream'),
    ),
});

const itemDone = typed('output_item.done', { item: ITEM, output_index: 0 });
const ended = (response: object): string => typed('completed', { response });
const cutBy = (reason: string): string =>
  typed('incomplete', {
    response: { object: 'response', status: 'incomplete', output: [], incomplete_details: { reason } },
  });

/** Bodies that stay open. @param sign written every second; nothing when empty */
const staysOpen = (sign: string): Fate => ({
  kind: 'writes',
  write: (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(CREATED + delta(FINE) + completed(ITEM));
    if (sign === '') return;
    const timer = setInterval(() => response.write(sign), 1_000);
    response.once('close', () => clearInterval(timer));
  },
});

const openBody = (name: string, sign: string): FaultCase => ({
  name,
  what: `six bodies stay open behind response.completed${sign === '' ? '' : ', with a sign every second'}, two slots: all delivered within 20 s`,
  nothingToName: UNDERSTOOD,
  async run() {
    const scene = await setScene(() => staysOpen(sign), { env: { DELIVERY_MAX_CONCURRENT_SESSIONS: '2' } });
    const tasks: string[] = [];
    for (let n = 0; n < 6; n++) tasks.push(await assign(scene, OTHERS[n % 5] ?? '', `Open ${n};`));
    const took = await allSay(scene, tasks, 20, 'All six are answered');
    for (const n of tasks.keys()) expect(runsOf(scene, `Open ${n};`)).toHaveLength(1);
    const closed = (): boolean =>
      tasks.every((_, n) => runsOf(scene, `Open ${n};`).every(({ endedAt }) => endedAt !== null));
    await within(10, 'The sockets are closed', closed);
    const health = await scene.runtime.health();
    return `6 runs, all delivered within ${inSeconds(took)}, ${health.delivery.inFlight} sockets open at the end`;
  },
});

const refuses = (status: number, headers: Record<string, string>, body: object): Fate => ({
  kind: 'writes',
  write: (response: ServerResponse) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body)),
});

const TOO_MANY = { error: { message: 'too many requests', type: 'rate_limit_error' } };
const MODEL_LIMIT = { object: 'response', status: 'failed', error: { code: 'rate_limit_exceeded' } };

const WAIT_S = 25;

/** Runs are refused for a while, with the wait that is asked for. @returns the figure */
async function asksForWait(
  fate: (header: string) => Fate,
  header: (endsAt: number) => string,
  trouble: { begins: () => void; ends: () => void },
): Promise<string> {
  let endsAt = 0;
  const scene = await setScene(({ prompt }) => {
    if (!prompt.includes('Limited') || (endsAt !== 0 && Date.now() >= endsAt)) return answers(FINE, 10);
    // A date in a header has no milliseconds.
    if (endsAt === 0) endsAt = Math.floor(Date.now() / 1_000 + WAIT_S) * 1_000;
    trouble.begins();
    return fate(header(endsAt));
  });
  const taskId = await assign(scene, 'engineer', 'Limited');
  await within(20, 'The run is refused', () => endsAt !== 0);
  await delay(endsAt - Date.now());
  expect(runsOf(scene, 'Limited'), 'runs before the time is over').toHaveLength(1);
  trouble.ends();
  const took = await allSay(scene, [taskId], 40, 'It is answered when the time is over');
  expect(await said(scene, taskId)).toEqual([FINE]);
  const { delivery } = await scene.runtime.health();
  expect(delivery.parked).toBe(0);
  return `1 run in ${WAIT_S} s, answered ${inSeconds(took)} after, 0 notes`;
}

export const answerCases: readonly FaultCase[] = [
  tells('stream-empty-data', 'events without data', around('data:\n\n', 'data: \n\n')),
  tells(
    'stream-not-json',
    'events that are no JSON',
    around(
      'data: ping\n\n',
      'event: ping\ndata: 2026-01-01T00:00:00Z\n\n',
      'data: {"type":"response.outp\n\n',
    ),
  ),
  tells('stream-bare-values', 'events of null and of a number', around('data: null\n\n', 'data: 123\n\n')),
  tells('stream-noise', 'comments, unknown events, line ends, what follows the end', [
    ...around(
      ': keep-alive\n\n',
      'event: keepalive\n\n',
      'data: {}\n\n',
      'data: []\n\n',
      'id: 7\nretry: 1000\n\n',
      event({ type: 'response.mood', mood: 7 }),
    ),
    { body: `\uFEFF${CREATED}${completed(ITEM)}${DONE}`.replaceAll('\n', '\r\n'), said: FINE },
    { body: `${CREATED}${completed(ITEM)}{oops\n\n`, said: FINE },
    { body: CREATED + completed(ITEM), said: FINE },
  ]),
  tells('reply-in-item', 'the text stands in a finished item alone', [ending(itemDone + completed() + DONE)]),
  tells('reply-in-part', 'the text stands in a finished text or part alone', [
    ending(typed('output_text.done', { text: 'Text in done.' }) + completed() + DONE, 'Text in done.'),
    ending(typed('content_part.done', { part: text('In part.') }) + completed() + DONE, 'In part.'),
  ]),
  tells('reply-refusal', 'the answer is a refusal', [
    ending(completed(message(refusal('I cannot help with that.'))) + DONE, 'I cannot help with that.'),
    ending(typed('refusal.delta', { delta: 'I cannot.' }) + completed() + DONE, 'I cannot.'),
    ending(typed('refusal.done', { refusal: 'I cannot.' }) + completed() + DONE, 'I cannot.'),
  ]),
  tells('reply-with-refusal', 'a text and a refusal in one message', [
    ending(
      completed(message(text('Partly.'), refusal('The rest I cannot.'))) + DONE,
      'Partly.\n\nThe rest I cannot.',
    ),
  ]),
  tells('reply-without-end', 'a finished item, and no response.completed', [
    ending(delta('All') + itemDone + DONE),
    ending(delta('All') + itemDone),
  ]),
  tells('reply-without-status', 'a response.completed without status, or without response', [
    ending(delta(FINE) + ended({ output: [] }) + DONE),
    ending(delta(FINE) + typed('completed') + DONE),
  ]),
  tells('reply-other-names', 'parts of the type text, and a text at the top', [
    ending(completed(message({ type: 'text', text: FINE })) + DONE),
    ending(ended({ object: 'response', status: 'completed', output_text: FINE }) + DONE),
  ]),
  tells('reply-usual', 'words alone, an output of null, a thought before the message, an incomplete answer', [
    ending(delta('All ') + delta('fine.') + completed() + DONE),
    ending(delta(FINE) + ended({ status: 'completed', output: null }) + DONE),
    ending(completed({ type: 'reasoning', summary: [] }, ITEM) + DONE),
    ending(typed('incomplete', { response: { status: 'incomplete', output: [ITEM] } }) + DONE),
  ]),
  tells('stream-as-text', 'a stream that calls itself text/plain', [
    { body: CREATED + completed(ITEM) + DONE, said: FINE, type: 'text/plain' },
    { body: CREATED + completed(ITEM) + DONE, said: FINE, type: 'application/octet-stream' },
  ]),
  tells('answer-cut', 'an answer that a filter cut before its first word: the thread says so', [
    ending(cutBy('content_filter') + DONE, '[The answer was cut before its first word: content_filter.]'),
    ending(
      cutBy('max_output_tokens') + DONE,
      '[The answer was cut before its first word: max_output_tokens.]',
    ),
  ]),
  openBody('body-stays-open', ''),
  openBody('body-stays-open-pinging', ': ping\n\n'),
  {
    name: 'gateway-asks-for-wait',
    what: `the gateway refuses a run with 429 and a date ${WAIT_S} s ahead: no run before that, and no attempt`,
    names: /asks for a wait/,
    limit: 100,
    run: (_test, trouble) =>
      asksForWait(
        (header) => refuses(429, { 'retry-after': header }, TOO_MANY),
        (endsAt) => new Date(endsAt).toUTCString(),
        trouble,
      ),
  },
  {
    name: 'model-asks-for-wait',
    what: `a model provider's limit asks for ${WAIT_S} s: no run of that session before that`,
    names: /Limited/,
    limit: 100,
    run: (_test, trouble) =>
      asksForWait(
        (header) => refuses(429, { 'retry-after': header }, MODEL_LIMIT),
        () => String(WAIT_S),
        trouble,
      ),
  },
  {
    name: 'wait-is-none',
    what: 'Retry-After of "soon", -5 and an absurd number on a refused run: no wait but the usual one',
    nothingToName: 'one failed run each, and the next one succeeds',
    async run() {
      const headers = ['soon', '-5', '99999999999999999999'];
      const refused = new Set<string>();
      const scene = await setScene(({ prompt }) => {
        const header = variantIn(headers, prompt);
        if (header === undefined || refused.has(header)) return answers(FINE, 10);
        refused.add(header);
        return refuses(500, { 'retry-after': header }, MODEL_LIMIT);
      });
      const tasks = await assignAll(scene, headers);
      const took = await allSay(scene, tasks, 30, 'All are answered');
      for (const n of headers.keys()) expect(runsOf(scene, `Variant ${n};`)).toHaveLength(2);
      return `3 forms, 2 runs each, answered within ${inSeconds(took)}`;
    },
  },
];
