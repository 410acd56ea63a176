/** Forms of answers, of silence and of a gateway that is away, drawn from a seed: two of each kind. */
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { wiresOf, type Wire } from '../../kits/answer-streams.ts';
import { createRandom } from '../../kits/random.ts';
import type { Fate } from '../../kits/picky-gateway.ts';
import { echoGateway, portOf } from '../../kits/stack.ts';
import type { FaultCase } from '../case.ts';
import { allDelivered, ask, expectGoodOrder, setUp } from '../stage.ts';
import { inSeconds } from '../wait.ts';
import { expectEachOnce } from './answers.ts';
import { staysQuiet } from './silence.ts';

const FORMS = 12;
const SEEDS = [1, 2];

/** Sentences that are posted as they are. */
const sentences = fc.stringMatching(/^[A-Z][a-zé🦊 ]{3,20} [a-z]{3}\.$/u);

const sends = ({ chunks, breaks }: Wire): Fate => ({
  kind: 'writes',
  write: (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    void (async () => {
      for (const chunk of chunks) {
        response.write(chunk);
        await delay(20);
      }
      if (breaks) response.destroy();
      else response.end();
    })();
  },
});

const stream = (seed: number): FaultCase => ({
  name: `random-stream-${seed}`,
  what: `${FORMS} streams of a grammar, drawn from the seed ${seed}, cut at any byte: one run each, the text in the thread`,
  nothingToName: 'the forms are odd, and the answers are understood',
  run: () => {
    const wires = fc.sample(wiresOf(sentences), { seed, numRuns: FORMS });
    return expectEachOnce(wires, (n) => sends(wires[n] as Wire));
  },
});

const CLOTHES = ['', ' ', '\n', '*', '**', '_', '`', '"', '.', '!', '\u200B', '\u00A0', '(', ')'];

function dressedBy(seed: number): string[] {
  const random = createRandom(seed);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  const clothes = (): string =>
    Array.from({ length: Math.floor(random() * 4) }, () => pick(CLOTHES)).join('');
  return Array.from(
    { length: FORMS },
    () => clothes() + pick(['HEARTBEAT_OK', 'NO_REPLY', 'heartbeat_ok']) + clothes(),
  );
}

const silence = (seed: number): FaultCase =>
  staysQuiet(
    `random-silence-${seed}`,
    `a word of silence in ${FORMS} forms, drawn from the seed ${seed}: nothing is posted, two runs at most`,
    dressedBy(seed),
    2,
  );

type Away = '401' | '503' | 'killed';

const away = (seed: number): FaultCase => ({
  name: `random-away-${seed}`,
  what: `the gateway is away in three ways, drawn from the seed ${seed}: named, nothing given up, all delivered afterwards`,
  names: /gateway/i,
  limit: 150,
  async run(_test, trouble) {
    const random = createRandom(seed);
    const ways = Array.from({ length: 3 }, () => ({
      way: (['401', '503', 'killed'] as const satisfies Away[])[Math.floor(random() * 3)] ?? '503',
      seconds: 2 + Math.round(random() * 4),
    }));
    const stage = await setUp({ sessions: 4 });
    await allDelivered(stage);
    const port = portOf(stage.gateway);
    let gateway = stage.gateway;
    for (const [n, { way, seconds }] of ways.entries()) {
      if (way === 'killed') {
        gateway.kill('SIGKILL');
        await gateway.exited;
      } else await gateway.setFault(way);
      trouble.begins();
      await ask(stage, `please look at this ${n}`, Math.floor(random() * 4));
      await delay(seconds * 1_000);
      // A gateway that comes back in the next way is not well for a moment.
      if (way === 'killed') gateway = await echoGateway({ port });
    }
    await gateway.setFault('ok');
    trouble.ends();
    const took = await allDelivered(stage, 90);
    await expectGoodOrder({ ...stage, gateway });
    const told = ways.map(({ way, seconds }) => `${way} for ${seconds} s`).join(', ');
    return `${told}: 0 given up, all delivered ${inSeconds(took)} after`;
  },
});

export const randomFormCases: readonly FaultCase[] = [stream, silence, away].flatMap((kind) =>
  SEEDS.map(kind),
);
