/** Whose trouble is it? One agent, one message or one proxy must not cost the others anything. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Fate } from '../../kits/picky-gateway.ts';
import type { Health } from '../../kits/runtime.ts';
import type { FaultCase, Trouble } from '../case.ts';
import { allSay, answers, assign, isBeat, OTHERS, runsOf, said, setScene, type Scene } from '../scene.ts';
import { inSeconds, within } from '../wait.ts';

/** Other agents get a message each, again and again, while something else goes on. */
async function others(
  scene: Scene,
  rounds: number,
  pauseMs: number,
): Promise<{ title: string; taskId: string }[]> {
  const tasks: { title: string; taskId: string }[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const agent of OTHERS.slice(0, 3)) {
      const title = `Innocent ${agent} ${round};`;
      tasks.push({ title, taskId: await assign(scene, agent, title) });
    }
    await delay(pauseMs);
  }
  return tasks;
}

async function killer(what: Fate, trouble: Trouble): Promise<string> {
  let deadlyRuns = 0;
  const scene = await setScene((run) => {
    if (!run.prompt.includes('Deadly')) return answers('Done.', 2_000);
    deadlyRuns += 1;
    // After the first time it may be chance: the gateway is back, and nobody is in trouble.
    if (deadlyRuns === 2) trouble.begins();
    return what;
  });
  const deadly = await assign(scene, 'engineer', 'Deadly task');
  const givenUp = allSay(scene, [deadly], 180, 'The message that ends runs is given up').finally(
    trouble.ends,
  );
  const [took, innocent] = await Promise.all([givenUp, others(scene, 6, 10_000)]);
  await allSay(
    scene,
    innocent.map(({ taskId }) => taskId),
    60,
    'Everybody else is answered',
  );
  const most = Math.max(...innocent.map(({ title }) => runsOf(scene, title).length));
  expect(deadlyRuns).toBeLessThanOrEqual(5);
  expect(most).toBeLessThanOrEqual(3);
  expect((await said(scene, deadly))[0]).toContain('could not work on the last message');
  await scene.runtime.waitForHealth('that all works', ({ status }) => status === 'healthy');
  return `${deadlyRuns} runs and ${scene.gateway.deaths()} deaths of the gateway, given up after ${inSeconds(took)}; ${innocent.length} others answered, none run more than ${most} times`;
}

export const scopeCases: readonly FaultCase[] = [
  {
    name: 'agent-fails',
    what: 'every run of one agent fails: the other five are answered at once, the agent is named, each message has 5 runs',
    names: /runs of engineer/,
    limit: 260,
    async run(_test, trouble) {
      const scene = await setScene(({ agent }) =>
        agent === 'engineer' ? { kind: 'fails' } : answers('Done.', 200),
      );
      trouble.begins();
      const failing = [];
      for (let n = 0; n < 8; n++) failing.push(await assign(scene, 'engineer', `Failing ${n};`));
      await delay(20_000);
      const fine = await Promise.all(OTHERS.map((agent) => assign(scene, agent, `Fine ${agent};`)));
      const took = await allSay(scene, fine, 15, 'The others are answered');
      const health = await scene.runtime.health();
      expect(health.gateway.state).toBe('connected');
      await allSay(scene, failing, 200, 'The failing ones are given up');
      trouble.ends();
      const most = Math.max(...failing.map((_, n) => runsOf(scene, `Failing ${n};`).length));
      expect(most).toBeLessThanOrEqual(5);
      await scene.runtime.waitForHealth('that all works', ({ status }) => status === 'healthy');
      return `the others answered within ${inSeconds(took)}, at most ${most} runs of a failing message`;
    },
  },
  {
    name: 'all-agents-fail',
    what: 'the runs of all agents fail for two minutes: one trial at a time, nothing given up, all answered afterwards',
    names: /model provider/,
    limit: 260,
    async run(_test, trouble) {
      const scene = await setScene(() => ({ kind: 'fails' }));
      trouble.begins();
      const tasks = await Promise.all(
        ['engineer', ...OTHERS].map((agent) => assign(scene, agent, `Failing ${agent};`)),
      );
      await scene.runtime.waitForHealth('whose trouble it is', ({ gateway }) => gateway.state === 'ailing');
      await delay(120_000);
      expect((await scene.runtime.health()).delivery.parked).toBe(0);
      const runs = scene.gateway.runs.length;
      scene.gateway.decide(() => answers('Done.', 100));
      trouble.ends();
      const took = await allSay(scene, tasks, 90, 'All are answered');
      return `${runs} runs in 2 min, 0 given up, all answered ${inSeconds(took)} after`;
    },
  },
  {
    name: 'all-fail-in-two-ways',
    what: "half of all runs fail and the other half are cut by a proxy for a minute: the gateway's trouble, and no message is said to take it down",
    names: /model provider/,
    limit: 180,
    async run(_test, trouble) {
      let runs = 0;
      const scene = await setScene((): Fate => {
        runs += 1;
        return runs % 2 === 0 ? { kind: 'fails' } : { kind: 'proxyAnswers', status: 504, afterMs: 500 };
      });
      trouble.begins();
      const tasks = await Promise.all(
        ['engineer', ...OTHERS].map((agent) => assign(scene, agent, `Failing ${agent};`)),
      );
      await scene.runtime.waitForHealth('whose trouble it is', ({ gateway }) => gateway.state === 'ailing');
      await delay(60_000);
      const { problems, delivery } = await scene.runtime.health();
      expect(problems.map(({ source }) => source)).toEqual(['gateway']);
      expect(delivery.parked).toBe(0);
      scene.gateway.decide(() => answers('Done.', 100));
      trouble.ends();
      const took = await allSay(scene, tasks, 90, 'All are answered');
      return `${runs} runs in a minute, 0 given up, all answered ${inSeconds(took)} after`;
    },
  },
  {
    name: 'message-kills-gateway',
    what: 'one message takes the gateway down 300 ms into its run: given up after 5 runs, nobody else is run more than 3 times',
    names: /Deadly|gateway/,
    limit: 300,
    run: (_test, trouble) =>
      killer({ kind: 'killsGateway', afterMs: 300, begins: true, downMs: 3_000 }, trouble),
  },
  {
    name: 'message-kills-gateway-early',
    what: 'the same before the first byte of its answer',
    names: /Deadly|gateway/,
    limit: 300,
    run: (_test, trouble) =>
      killer({ kind: 'killsGateway', afterMs: 300, begins: false, downMs: 3_000 }, trouble),
  },
  {
    name: 'message-closes-connection',
    what: 'the connection of one message closes each time, before the first byte: given up after 5 runs',
    names: /Deadly task" failed/,
    limit: 300,
    run: (_test, trouble) => killer({ kind: 'closes', afterMs: 300, begins: false }, trouble),
  },
  {
    name: 'chatter',
    what: 'orchestrator and assignee answer each other for ever, AGENT_CHAIN_LIMIT=6: held with one note; a person lets them go on',
    names: /only answer each other/,
    limit: 150,
    async run(_test, trouble) {
      const scene = await setScene(() => answers('And what about the rest?', 10), {
        lead: () => answers('Go on, please.', 10),
        env: { AGENT_CHAIN_LIMIT: '6' },
      });
      const taskId = await assign(scene, 'engineer', 'Endless');
      const isHeld = ({ problems }: Health): boolean =>
        problems.some(({ problem }) => problem.includes('only answer each other on the task "Endless"'));
      const took = await within(60, 'The chatter is held and named', async () =>
        isHeld(await scene.runtime.health()),
      );
      trouble.begins();
      // What waited for its pace at that moment still goes, and is counted below.
      await delay(10_000);
      const countRuns = (): number => scene.gateway.runs.filter((run) => !isBeat(run)).length;
      const runs = countRuns();
      await delay(20_000);
      expect(countRuns()).toBe(runs);
      const words = await said(scene, taskId);
      const notes = words.filter((text) => text.startsWith('The agents here only answer'));
      expect(notes).toHaveLength(1);
      // Both may be at work when the limit is reached.
      expect(words.length - notes.length).toBeLessThanOrEqual(7);
      trouble.ends();
      await scene.backend.postMessage(taskId, '@engineer thank you, one more thing');
      await scene.runtime.waitForHealth('that they go on', (health) => !isHeld(health));
      expect(countRuns()).toBeGreaterThan(runs);
      return `held after ${words.length - notes.length} messages and ${inSeconds(took)}, ${runs} runs, one note; a person's message let them go on`;
    },
  },
  {
    name: 'proxy-gives-up',
    what: 'a proxy answers 504 after 3 s in place of the gateway: 5 runs of each message with pauses, then a note',
    names: /504/,
    limit: 260,
    async run(_test, trouble) {
      const scene = await setScene(() => ({ kind: 'proxyAnswers', status: 504, afterMs: 3_000 }));
      trouble.begins();
      const tasks = await Promise.all(
        ['engineer', 'a1', 'a2'].map((agent) => assign(scene, agent, `Long ${agent};`)),
      );
      const took = await allSay(scene, tasks, 220, 'Each has its note');
      trouble.ends();
      const most = Math.max(
        ...['engineer', 'a1', 'a2'].map((agent) => runsOf(scene, `Long ${agent};`).length),
      );
      expect(most).toBeLessThanOrEqual(5);
      return `at most ${most} runs of a message, notes after ${inSeconds(took)}`;
    },
  },
  {
    name: 'page-for-one-agent',
    what: "a proxy answers one agent's runs with a page and 200: the others are answered at once, 5 runs of each of its messages",
    names: /engineer.*text\/html/,
    limit: 200,
    async run(_test, trouble) {
      const page: Fate = {
        kind: 'writes',
        write: (response) =>
          void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in</html>'),
      };
      const scene = await setScene(({ agent }) => (agent === 'engineer' ? page : answers('Done.', 200)));
      trouble.begins();
      const titles = ['Blocked 0;', 'Blocked 1;'];
      const blocked = await Promise.all(titles.map((title) => assign(scene, 'engineer', title)));
      await scene.runtime.waitForHealth('whose trouble it is', ({ status }) => status === 'degraded');
      const fine = await Promise.all(OTHERS.map((agent) => assign(scene, agent, `Fine ${agent};`)));
      const took = await allSay(scene, fine, 15, 'The others are answered');
      await allSay(scene, blocked, 150, 'The blocked ones are given up');
      trouble.ends();
      const most = Math.max(...titles.map((title) => runsOf(scene, title).length));
      expect(most).toBeLessThanOrEqual(5);
      return `the others answered within ${inSeconds(took)}, at most ${most} runs of a blocked message`;
    },
  },
];
