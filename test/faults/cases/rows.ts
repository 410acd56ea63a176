import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { relayTo, type Call, type Verdict } from '../../kits/relay.ts';
import { startRuntime } from '../../kits/runtime.ts';
import { echoGateway, missionControl } from '../../kits/stack.ts';
import type { FaultCase } from '../case.ts';
import { gatewayThatSays } from '../long-reply.ts';
import {
  allDelivered,
  ask,
  expectGoodOrder,
  mostRuns,
  openRuns,
  replies,
  runsPerRow,
  runUnderWay,
  setUp,
  undelivered,
} from '../stage.ts';
import { inSeconds, within } from '../wait.ts';

const isContextOf = ({ name, args }: Call, ids: ReadonlySet<string | undefined>): boolean =>
  // One call brings many contexts, so all of it counts as a call for this row. When it fails, the runtime asks for each context alone.
  name === 'listWithContexts' ||
  name === 'leaseNotifications' ||
  ((name === 'getNotificationForDelivery' || name === 'beginDelivery') &&
    ids.has(String(args.notificationId)));

const isMark = ({ name }: Call): boolean =>
  name === 'markNotificationDelivered' || name === 'completeDelivery';

/** A runtime whose Convex can fail on single rows; the rows are there before it starts. */
async function setUpRelay(sessions: number, env: Record<string, string> = {}) {
  const [backend, gateway] = await Promise.all([missionControl({ extraTasks: sessions }), echoGateway()]);
  const relay = await relayTo(backend.url);
  const rows = await undelivered({ backend });
  const start = (again: Record<string, string> = {}) =>
    startRuntime({ backend: { ...backend, url: relay.url }, gateway, env: { ...env, ...again } });
  return { backend, gateway, relay, rows, start };
}

export const rowCases: readonly FaultCase[] = [
  {
    name: 'poison-reply',
    nothingToName: 'the reply is posted, and a notice in it says that it was cut',
    what: 'a reply of 150,000 characters: posted cut, with a notice, run once',
    quick: true,
    async run() {
      const backend = await missionControl();
      const gateway = await gatewayThatSays('x'.repeat(150_000));
      await startRuntime({ backend, gateway });
      const taskId = await ask({ backend }, 'please write a lot');
      const said = async () =>
        (await backend.listThread(taskId)).filter(({ authorType }) => authorType === 'agent');
      await within(20, 'The reply is there', async () => (await said()).length > 0);
      const { content: text = '', authorId } = (await said())[0] ?? {};
      expect(text.length).toBeLessThanOrEqual(100_000);
      expect(text).toMatch(/has been cut here\.\]$/);
      const mention = (await backend.agentRows()).find(({ type }) => type === 'mention');
      await within(20, 'The row is marked', async () =>
        (await backend.agentRows()).some((row) => row._id === mention?._id && row.deliveredAt !== undefined),
      );
      // Another agent may have heard of it and say as much, and then be answered.
      const authors = (await said()).map((one) => one.authorId);
      expect(authors[1]).not.toBe(authorId);
      return `posted with ${text.length} characters`;
    },
  },
  {
    name: 'poison-context',
    what: "one row's context always fails: parked after 5 tries with a note; the others do not notice",
    names: /failed\. Only this/,
    quick: true,
    async run(_test, trouble) {
      const { backend, gateway, relay, rows, start } = await setUpRelay(5);
      const poison = rows[0];
      relay.judge((call) => (isContextOf(call, new Set([poison?._id])) ? 'fail' : 'pass'));
      trouble.begins();
      const runtime = await start();
      await allDelivered({ backend });
      trouble.ends();
      // The mark is in Convex before the runtime has heard so.
      const { delivery } = await runtime.waitForHealth(
        'it as parked',
        (health) => health.delivery.parked === 1,
      );
      expect(delivery.recentParks).toHaveLength(1);
      const said = await replies({ backend }, poison?.taskId ?? '');
      expect(said).toEqual([expect.stringContaining('could not work on the last message')]);
      const runs = await runsPerRow({ gateway });
      expect(runs.has(poison?._id ?? '')).toBe(false);
      return `1 parked with a note, 4 others delivered, 1 run each`;
    },
  },
  {
    name: 'slow-session',
    nothingToName: 'an agent that works is no trouble',
    what: 'one session works for 4 s, two slots: the other sessions are all answered meanwhile',
    async run() {
      const stage = await setUp({ env: { DELIVERY_MAX_CONCURRENT_SESSIONS: '2' } });
      await ask(stage, 'ECHO_DELAY:4000 take your time');
      await runUnderWay(stage);
      const others: string[] = [];
      for (let n = 0; n < 5; n++) others.push(await ask(stage, `and this, ${n}`, 1 + (n % 2)));
      const took = await within(10, 'The others are answered', async () => {
        const said = await Promise.all([...new Set(others)].map((task) => replies(stage, task)));
        return said.flat().length >= 5;
      });
      expect(await openRuns(stage)).toHaveLength(1);
      await allDelivered(stage);
      await expectGoodOrder(stage);
      return `5 others answered in ${inSeconds(took)}, before the slow one was done`;
    },
  },
  {
    name: 'mark-has-no-effect',
    what: 'marking says that it has succeeded and does nothing, for 20 s: each row is run and posted once, and named',
    names: /neither delivered nor marked|markNotificationDelivered/,
    contractOnly: true,
    limit: 120,
    async run(_test, trouble) {
      const { backend, gateway, relay, start } = await setUpRelay(5);
      relay.judge((call) => (isMark(call) ? 'feign' : 'pass'));
      trouble.begins();
      const runtime = await start();
      await runtime.waitForHealth('the trouble', ({ status }) => status === 'degraded');
      await delay(20_000);
      relay.judge(() => 'pass');
      trouble.ends();
      const took = await allDelivered({ backend }, 60);
      await expectGoodOrder({ backend, gateway, runtime });
      const most = await mostRuns({ backend, gateway });
      expect(most).toBe(1);
      return `${relay.count('markNotificationDelivered')} marks, ${most} run each, marked ${inSeconds(took)} after`;
    },
  },
  {
    name: 'full-page',
    what: 'a page of rows that fail stands before the good ones (page of 3, 6 failing): the good ones are delivered',
    names: /function \w+ fails|failed\. Only this/,
    async run(_test, trouble) {
      const env = { DELIVERY_LIST_LIMIT: '3', DELIVERY_BACKOFF_BASE_MS: '2s', DELIVERY_BACKOFF_MAX_MS: '4s' };
      const { backend, gateway, relay, rows, start } = await setUpRelay(8, env);
      const failing = new Set(rows.slice(0, 6).map(({ _id }) => _id));
      relay.judge((call) => (isContextOf(call, failing) ? 'fail' : 'pass'));
      trouble.begins();
      const runtime = await start();
      const took = await within(20, 'The good rows are delivered', async () =>
        (await backend.agentRows()).every((row) => failing.has(row._id) || row.deliveredAt !== undefined),
      );
      expect((await undelivered({ backend })).length).toBe(6);
      relay.judge(() => 'pass');
      trouble.ends();
      await allDelivered({ backend });
      await expectGoodOrder({ backend, gateway, runtime });
      return `2 good rows in ${inSeconds(took)} behind 6 failing ones; those delivered when they could be`;
    },
  },
  {
    name: 'lost-update',
    nothingToName: 'two messages in one row are no trouble',
    what: 'a message is coalesced into the row during its run: the agent is run for it too, both replies are there',
    quick: true,
    async run() {
      const stage = await setUp({ runMs: 1_000 });
      // Nobody else answers there: an answer of another agent would be coalesced over the second question.
      const chat = stage.backend.tasks.find(({ title }) => title.startsWith('Chat'))?._id ?? '';
      await stage.backend.postMessage(chat, 'first question');
      await runUnderWay(stage);
      const waiting = (await undelivered(stage)).map(({ _id }) => _id);
      await stage.backend.postMessage(chat, 'second question');
      expect((await undelivered(stage)).map(({ _id }) => _id)).toEqual(waiting);
      await allDelivered(stage);
      await expectGoodOrder(stage);
      expect(await replies(stage, chat)).toEqual([
        'echo from squad-lead: first question',
        'echo from squad-lead: second question',
      ]);
      return 'one row, two messages, two replies';
    },
  },
  {
    name: 'lost-update-at-mark',
    nothingToName: 'two messages in one row are no trouble',
    what: 'a message is coalesced into the row in the moment before its mark: the agent is run for it too',
    async run() {
      const { backend, gateway, relay, start } = await setUpRelay(0);
      const chat = backend.tasks.find(({ title }) => title.startsWith('Chat'))?._id ?? '';
      await backend.postMessage(chat, 'first question');
      let marks = 0;
      relay.judge(async (call): Promise<Verdict> => {
        if (isMark(call)) marks += 1;
        if (isMark(call) && marks === 1) await backend.postMessage(chat, 'second question');
        return 'pass';
      });
      const runtime = await start();
      await within(20, 'Both replies are there', async () => (await replies({ backend }, chat)).length === 2);
      await allDelivered({ backend });
      await expectGoodOrder({ backend, gateway, runtime });
      expect((await replies({ backend }, chat))[1]).toBe('echo from squad-lead: second question');
      return 'one row, two messages, two replies';
    },
  },
  {
    name: 'sigkill-in-second-post',
    nothingToName: 'the post is on its way, and its arrival is waited for',
    what: 'SIGKILL while a second reply is on its way to a slow Convex: the next process waits for it, and posts nothing',
    contractOnly: true,
    async run() {
      const { backend, gateway, relay, start } = await setUpRelay(0);
      const chat = backend.tasks.find(({ title }) => title.startsWith('Chat'))?._id ?? '';
      await gateway.setFault('ok', 1_000);
      let secondPosts = 0;
      relay.judge(async ({ name, args }): Promise<Verdict> => {
        if (name === 'createMessageFromAgent' && args.sourceNotificationId === undefined) {
          secondPosts += 1;
          await delay(4_000);
        }
        return 'pass';
      });
      const first = await start();
      await backend.postMessage(chat, 'first question');
      await runUnderWay({ gateway });
      await backend.postMessage(chat, 'second question');
      await within(20, 'The second reply is on its way', () => secondPosts === 1);
      first.kill('SIGKILL');
      await first.exited;
      const runtime = await start({ STATE_DIR: first.stateDir });
      await runtime.waitForHealth('that it waits', ({ sessions }) =>
        sessions.shown.some(({ value }) => /later.*waiting/.test(JSON.stringify(value))),
      );
      const took = await allDelivered({ backend });
      await expectGoodOrder({ backend, gateway, runtime });
      expect(await replies({ backend }, chat)).toHaveLength(2);
      expect(secondPosts).toBe(1);
      return `posted once, delivered ${inSeconds(took)} later`;
    },
  },
  {
    name: 'silent-agent',
    nothingToName: 'three silent runs within seconds; the note says it',
    what: 'an agent that is asked says nothing, three times: the thread is told once',
    async run() {
      const stage = await setUp();
      const taskId = await ask(stage, 'ECHO_EMPTY');
      await allDelivered(stage);
      const said = await replies(stage, taskId);
      expect(said).toEqual([expect.stringContaining('gave no reply')]);
      const runs = await mostRuns(stage);
      expect(runs).toBe(3);
      await stage.runtime.waitForHealth('it as parked', ({ delivery }) => delivery.parked === 1);
      return `${runs} runs, one note`;
    },
  },
  {
    name: 'failing-session',
    what: 'every run of one session fails: parked after 5 attempts with a note; the others do not notice',
    names: /failed\. Only this/,
    async run(_test, trouble) {
      const stage = await setUp();
      trouble.begins();
      const taskId = await ask(stage, 'ECHO_500');
      const other = await ask(stage, 'please look at this', 1);
      await allDelivered(stage);
      trouble.ends();
      expect(await replies(stage, taskId)).toEqual([
        expect.stringContaining('every try ended with an error'),
      ]);
      expect(await replies(stage, other)).toHaveLength(1);
      expect(await mostRuns(stage)).toBe(5);
      return '5 runs, one note, the other session answered';
    },
  },
];
