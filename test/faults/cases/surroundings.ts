/** The process and its surroundings: an address that is no gateway, a directory of another user, a company's proxy. */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { forwardProxy } from '../../kits/forward-proxy.ts';
import { serveHttp } from '../../kits/gateway-server.ts';
import { needsRoot } from '../../kits/mount.ts';
import { startRuntime, temporaryDirectory } from '../../kits/runtime.ts';
import { echoGateway, missionControl, portOf } from '../../kits/stack.ts';
import { BACKEND } from '../backend-kind.ts';
import type { FaultCase } from '../case.ts';
import { gatewayThatSays } from '../long-reply.ts';
import { answers, assign, runsOf, said, setScene } from '../scene.ts';
import { allDelivered, ask, expectGoodOrder, mostRuns, replies, runsPerRow, setUp } from '../stage.ts';
import { inSeconds, within } from '../wait.ts';

const HTML = '<!doctype html><title>Welcome</title>';

/** A web server stands where the gateway should be; then the gateway takes its place. */
const wrongAddress = (name: string, what: string, listener: RequestListener): FaultCase => ({
  name,
  what: `OPENCLAW_GATEWAY_URL is a web server that ${what}: named without a message, no run, one change of status`,
  names: /does not answer like an OpenClaw gateway/,
  limit: 120,
  async run(_test, trouble) {
    const posts: string[] = [];
    const server = await serveHttp((request, response) => {
      if (request.method === 'POST') posts.push(request.url ?? '');
      request.resume();
      listener(request, response);
    });
    const backend = await missionControl();
    trouble.begins();
    const runtime = await startRuntime({ backend, gateway: { url: server.url, token: 'local' } });
    await delay(5_000);
    const stage = { backend, runtime };
    for (let task = 0; task < 3; task++) await ask(stage, 'please look at this', task);
    await delay(15_000);
    expect(posts.length, 'requests with a body').toBeLessThanOrEqual(6);
    const seen = runtime.log.filter(
      ({ event }) => event === 'gateway.available' || event === 'gateway.degraded',
    );
    expect(seen.length, 'changes of status').toBeLessThanOrEqual(1);
    await server.close();
    const gateway = await echoGateway({ port: portOf(server) });
    trouble.ends();
    const took = await allDelivered(stage, 60);
    await expectGoodOrder({ ...stage, gateway });
    return `${posts.length} requests with a body in 20 s, ${seen.length} change of status, delivered ${inSeconds(took)} after the gateway came`;
  },
});

const NOBODY = { uid: 65_534, gid: 65_534 };

/** Sentences with characters that no JSON reader should meet. */
const ODD = 'emoji 🦊, half of one \ud83d, a NUL \0, a bell \u0007, and \u202Ebackwards';
const MANY = 1_000;

export const surroundingsCases: readonly FaultCase[] = [
  wrongAddress(
    'address-of-pages',
    'has a page for everything',
    (_request, response) => void response.setHeader('content-type', 'text/html').end(HTML),
  ),
  wrongAddress(
    'address-finds-nothing',
    'answers 404',
    (_request, response) => void response.writeHead(404).end('{"error":"not found"}'),
  ),
  wrongAddress(
    'address-says-ok',
    'is fine with everything',
    (_request, response) => void response.end('{"ok":true}'),
  ),
  wrongAddress(
    'address-takes-nothing',
    'has pages and takes no POST',
    ({ method }, response) =>
      void response.writeHead(method === 'POST' ? 405 : 200, { 'content-type': 'text/html' }).end(HTML),
  ),
  {
    name: 'state-dir-of-group',
    what: 'STATE_DIR and its files are root’s and the group may write: the runtime starts, warns once, and delivers',
    nothingToName: 'the files can be written; a warning in the log says whose they are',
    async run(test) {
      needsRoot(test);
      const parent = temporaryDirectory();
      chmodSync(parent, 0o755);
      const STATE_DIR = join(parent, 'state');
      mkdirSync(STATE_DIR);
      chownSync(STATE_DIR, 0, NOBODY.gid);
      chmodSync(STATE_DIR, 0o2770);
      for (const name of ['journal.lock', 'journal.sqlite']) {
        writeFileSync(join(STATE_DIR, name), '');
        chownSync(join(STATE_DIR, name), 0, NOBODY.gid);
        chmodSync(join(STATE_DIR, name), 0o660);
      }
      const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
      const runtime = await startRuntime({ backend, gateway, env: { STATE_DIR }, user: NOBODY });
      const stage = { backend, gateway, runtime };
      await ask(stage, 'please look at this');
      const took = await allDelivered(stage);
      await expectGoodOrder(stage);
      const warnings = runtime.log.filter(({ event }) => event === 'journal.shared');
      expect(warnings).toMatchObject([{ level: 'warn' }]);
      return `started as user ${NOBODY.uid}, 1 warning, delivered in ${inSeconds(took)}`;
    },
  },
  {
    name: 'two-runtimes',
    what: 'two runtimes on one account, 30 messages on 20 tasks: both say so; where rows are lent, 30 runs',
    names: /Another runtime works on this account/,
    limit: 120,
    async run(_test, trouble) {
      const [backend, gateway] = await Promise.all([missionControl({ extraTasks: 20 }), echoGateway()]);
      await gateway.setFault('ok', 300);
      const first = await startRuntime({ backend, gateway });
      const second = await startRuntime({ backend, gateway });
      trouble.begins();
      const stage = { backend, gateway, runtime: second };
      // In the demo's own first tasks not every mention is for an agent.
      for (let n = 0; n < 30; n++) await ask(stage, `message ${n}`, 4 + (n % 20));
      const isTold = async (): Promise<boolean> =>
        (await Promise.all([first.health(), second.health()])).every(({ problems }) =>
          problems.some(({ problem }) => problem.startsWith('Another runtime')),
        );
      const told = await within(60, 'Both say so', isTold);
      await allDelivered(stage, 60);
      for (const taskId of backend.taskIds) {
        const words = await replies(stage, taskId);
        expect(words, 'each reply once').toEqual([...new Set(words)]);
      }
      const counts = await runsPerRow(stage);
      const mentions = (await backend.agentRows()).filter(({ type }) => type === 'mention');
      const runs = mentions.reduce((sum, { _id }) => sum + (counts.get(_id) ?? 0), 0);
      if (BACKEND === 'extended') expect(runs).toBe(30);
      for (const runtime of [first, second]) runtime.kill('SIGTERM');
      await Promise.all([first.exited, second.exited]);
      return `30 messages in ${runs} runs, each reply once, both say so after ${inSeconds(told)}`;
    },
  },
  {
    name: 'behind-a-proxy',
    what: 'Convex and the gateway have names that only a company’s proxy knows (HTTP_PROXY): delivered through it',
    nothingToName: 'the proxy is used as it is meant to be',
    async run() {
      const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
      const proxy = await forwardProxy({
        'convex.corp:3210': portOf(backend),
        'gateway.corp:18789': portOf(gateway),
      });
      const runtime = await startRuntime({
        backend: { ...backend, url: 'http://convex.corp:3210' },
        gateway: { ...gateway, url: 'http://gateway.corp:18789' },
        env: { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NO_PROXY: '127.0.0.1' },
      });
      const stage = { backend, gateway, runtime };
      await ask(stage, 'please look at this');
      const took = await allDelivered(stage);
      await expectGoodOrder(stage);
      for (const host of ['convex.corp', 'gateway.corp']) {
        expect(proxy.asked.filter((line) => line.includes(host))).not.toEqual([]);
      }
      expect(runtime.stdout()).not.toContain(proxy.password);
      return `${proxy.asked.length} requests through the proxy, delivered in ${inSeconds(took)}, its password nowhere`;
    },
  },
  {
    name: 'metrics-before-events',
    what: 'GET /metrics before any message: every counter has its samples of 0',
    nothingToName: 'nothing has happened',
    async run() {
      const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
      const runtime = await startRuntime({ backend, gateway });
      const { body } = await runtime.get('/metrics');
      const counters = [...body.matchAll(/^# TYPE (\S+) counter$/gm)].map(([, name = '']) => name);
      const bare = counters.filter((name) => !new RegExp(`^${name}(?:\\{| )`, 'm').test(body));
      expect(counters.length).toBeGreaterThan(10);
      expect(bare, 'counters without a sample').toEqual([]);
      return `${counters.length} counters, each with a sample`;
    },
  },
  {
    name: 'odd-characters',
    what: `a thread of ${MANY} messages with NUL, bell and half characters, an agent of 5,000 letters: what goes out is well-formed`,
    nothingToName: 'odd characters are characters',
    limit: 120,
    async run() {
      const scene = await setScene(() => answers('Done.', 10));
      const taskId = await assign(scene, 'a1', 'Odd');
      await within(30, 'The assignment is answered', async () => (await said(scene, taskId)).length > 0);
      for (let n = 0; n < MANY; n++) await scene.backend.postMessage(taskId, `${n} ${ODD}`);
      await scene.backend.call('demo/actions:addAgent', {
        slug: 'long-name',
        name: `\0${'n'.repeat(5_000)}`,
        role: 'Helper',
      });
      const before = runsOf(scene, 'Odd').length;
      await scene.backend.postMessage(taskId, `@a1 ${ODD}`);
      const took = await within(
        30,
        'There is a run for the last message',
        () => runsOf(scene, 'Odd').length > before,
      );
      await within(30, 'All is delivered', async () =>
        (await scene.backend.agentRows()).every(({ deliveredAt }) => deliveredAt !== undefined),
      );
      const prompts = scene.gateway.runs.map(({ prompt }) => prompt);
      expect(prompts.filter((prompt) => !prompt.isWellFormed() || prompt.includes('\0'))).toEqual([]);
      const longest = Math.max(...prompts.map(({ length }) => length));
      expect((await scene.runtime.health()).delivery.parked).toBe(0);
      return `${prompts.length} prompts, all well-formed and without NUL, the longest of ${longest} characters, run after ${inSeconds(took)}`;
    },
  },
  {
    name: 'huge-reply',
    what: 'a reply of six million characters: one run, posted cut to 100,000 with a notice',
    nothingToName: 'the reply is posted, and a notice in it says that it was cut',
    async run() {
      const backend = await missionControl();
      const gateway = await gatewayThatSays('x'.repeat(6_000_000));
      const runtime = await startRuntime({ backend, gateway });
      // In the chat only the person who asked reads the reply, so no other agent answers it.
      const chat = backend.tasks.find(({ title }) => title.startsWith('Chat'))?._id ?? '';
      await backend.postMessage(chat, 'please write a lot');
      await within(30, 'The reply is there', async () => (await replies({ backend }, chat)).length > 0);
      const [words = ''] = await replies({ backend }, chat);
      expect(words.length).toBeLessThanOrEqual(100_000);
      expect(words).toMatch(/has been cut here\.\]$/);
      expect((await runtime.health()).delivery.failed, 'failed runs').toBe(0);
      return `0 failed runs, posted with ${words.length} characters`;
    },
  },
  {
    name: 'signals-twice',
    what: 'one Ctrl-C that arrives twice within 250 ms, three runs open: one drain, three of three delivered',
    nothingToName: 'a process that was told to leave is gone before anything can stay',
    async run() {
      const stage = await setUp({ sessions: 3, runMs: 3_000 });
      await within(
        20,
        'Three runs are open',
        async () => (await stage.runtime.health()).delivery.inFlight >= 3,
      );
      const signalledAt = performance.now();
      stage.runtime.kill('SIGINT');
      await delay(50);
      stage.runtime.kill('SIGINT');
      expect(await stage.runtime.exited).toEqual({ code: 0, signal: null });
      const took = performance.now() - signalledAt;
      const words = await Promise.all(stage.backend.taskIds.slice(-3).map((task) => replies(stage, task)));
      expect(words.flat()).toHaveLength(3);
      return `3 of 3 delivered, exit 0 after ${inSeconds(took)}, ${await mostRuns(stage)} run each`;
    },
  },
];
