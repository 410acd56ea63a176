/** Words that mean silence, in whatever clothes, and texts about them. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Fate, PickyRun } from '../../kits/picky-gateway.ts';
import type { FaultCase } from '../case.ts';
import {
  allSay,
  answers,
  assign,
  isBeat,
  ORCHESTRATOR,
  OTHERS,
  said,
  setScene,
  type Scene,
} from '../scene.ts';
import { inSeconds, within } from '../wait.ts';
import { expectEachOnce } from './answers.ts';

const ZERO_WIDTH = '\u200B';
const NOTHING_WRONG = 'an agent that has nothing to say is no trouble';

/** The word alone, in the clothes that were met. */
const dressed = (word: string): string[] => [
  word,
  `**${word}**`,
  `${word}.`,
  `\`${word}\``,
  `\`\`\`\n${word}\n\`\`\``,
  `"${word}"`,
  `<b>${word}</b>`,
  `${ZERO_WIDTH}${word}${ZERO_WIDTH}`,
  `${word}\n\n${word}`,
  `${word}${word}`,
  `<think>nothing to say</think>${word}`,
];

/** What an agent says, and what of it is posted. */
const SAYINGS: readonly (readonly [string, string])[] = [
  ['Done.\n\nNO_REPLY', 'Done.'],
  ['All tests pass.NO_REPLY', 'All tests pass.'],
  ['Done.\n\nHEARTBEAT_OK', 'Done.'],
  ...[
    'When nothing is due, the agent answers NO_REPLY and the thread stays quiet.',
    'The word that keeps the thread quiet is HEARTBEAT_OK.',
    'Should I use NO_REPLY?',
    'NO_REPLY_X is a variable',
    Array.from(
      { length: 24 },
      (_, at) => `- Rule ${at}: say \`HEARTBEAT_OK\`, and never \`NO_REPLY\`, to it.`,
    ).join('\n'),
    'No',
    'No.',
  ].map((text): readonly [string, string] => [text, text]),
];

/**
 * The orchestrator hears of every reply, and answers each with one of these.
 * @returns the most of its runs about one task
 */
async function hearsOf(
  forms: readonly string[],
  fate: (form: string) => Fate,
): Promise<{ scene: Scene; tasks: string[]; most: number; runs: number }> {
  const formIn = ({ prompt }: PickyRun): string =>
    forms.find((_, n) => prompt.includes(`Form ${n};`)) ?? 'HEARTBEAT_OK';
  const scene = await setScene(() => answers('Done.', 10), { lead: (run) => fate(formIn(run)) });
  const tasks: string[] = [];
  for (const n of forms.keys()) tasks.push(await assign(scene, OTHERS[n % 5] ?? '', `Form ${n};`));
  await allSay(scene, tasks, 40, 'Every task has its reply');
  await within(60, 'The orchestrator has heard of all of them', async () =>
    (await scene.backend.agentRows()).every(({ deliveredAt }) => deliveredAt !== undefined),
  );
  const ofLead = scene.gateway.runs.filter((run) => run.agent === ORCHESTRATOR && !isBeat(run));
  const counts = forms.map((_, n) => ofLead.filter(({ prompt }) => prompt.includes(`Form ${n};`)).length);
  return { scene, tasks, most: Math.max(...counts), runs: ofLead.length };
}

export const staysQuiet = (
  name: string,
  what: string,
  forms: readonly string[],
  mostRuns: number,
  fate = (form: string): Fate => answers(form, 10),
): FaultCase => ({
  name,
  what,
  nothingToName: NOTHING_WRONG,
  limit: 120,
  async run() {
    const { scene, tasks, most, runs } = await hearsOf(forms, fate);
    for (const taskId of tasks) expect(await said(scene, taskId)).toEqual(['Done.']);
    expect(most, 'runs about one task').toBeLessThanOrEqual(mostRuns);
    return `${forms.length} forms in ${runs} runs, at most ${most} of one, 0 words and 0 notes in the threads`;
  },
});

const refusesSilence: Fate = {
  kind: 'writes',
  write: (response) =>
    void response
      .writeHead(500, { 'content-type': 'application/json' })
      .end('{"object":"response","status":"failed","error":{"code":"api_error","message":"internal error"}}'),
};

const BEATS = [
  'Checked all tasks.\n\nHEARTBEAT_OK',
  '**HEARTBEAT_OK**',
  'HEARTBEAT_OK.',
  `${ZERO_WIDTH}HEARTBEAT_OK`,
];

export const silenceCases: readonly FaultCase[] = [
  staysQuiet(
    'silence-dressed',
    'the orchestrator, who need not answer, says HEARTBEAT_OK in eleven forms: nothing in the threads',
    dressed('HEARTBEAT_OK'),
    1,
  ),
  staysQuiet(
    'silence-no-reply',
    'the same with NO_REPLY: nothing in the threads, no note, two runs at most',
    dressed('NO_REPLY'),
    2,
  ),
  staysQuiet(
    'passive-row-fails',
    'a gateway answers silence with 500, for a row that needs no answer: two runs at most, and no note',
    ['NO_REPLY', 'NO_REPLY'],
    2,
    () => refusesSilence,
  ),
  {
    name: 'silence-after-text',
    what: 'a word of silence behind a text is left out; a text about the words is posted as it is; "No" is an answer',
    nothingToName: NOTHING_WRONG,
    run: () =>
      expectEachOnce(
        SAYINGS.map(([, posted]) => ({ said: posted })),
        (n) => answers(SAYINGS[n]?.[0] ?? '', 10),
      ),
  },
  {
    name: 'silence-in-beats',
    what: 'heartbeats that say HEARTBEAT_OK in other clothes, or beside a few words: nothing in any thread',
    nothingToName: NOTHING_WRONG,
    limit: 180,
    async run() {
      let beats = 0;
      const scene = await setScene(() => answers('Done.', 10), {
        beat: () => answers(BEATS[beats++ % BEATS.length] ?? '', 10),
      });
      const tasks = await Promise.all(OTHERS.map((agent) => assign(scene, agent, `Focus of ${agent};`)));
      await allSay(scene, tasks, 30, 'Every task has its reply');
      const took = await within(125, 'There were four heartbeats', () => beats >= BEATS.length);
      await delay(2_000);
      for (const taskId of tasks) expect(await said(scene, taskId)).toEqual(['Done.']);
      return `${beats} heartbeats in ${inSeconds(took)}, 0 words in the threads`;
    },
  },
];
