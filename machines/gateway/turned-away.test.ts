/** What runs tell about the gateway, and what follows from it. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { createListener, settle } from '../../test/kits/samples/mission-control.ts';
import { Fault, type FaultKind } from '../shared/fault.ts';
import { gatewayMachine, type GatewayNews, type Probe } from './machine.ts';
import { whoIs } from '../shared/who.ts';

const AWAY = 'The OpenClaw gateway does not answer at http://127.0.0.1:1 (ECONNREFUSED).';
const REFUSED = 'The OpenClaw gateway refuses the token (HTTP 401).';

/** A gateway that answers every probe, until it is away. */
async function startGateway() {
  const clock = new SimulatedClock();
  const listener = createListener<GatewayNews>();
  const world = { away: false, refuses: false, probes: 0 };
  const probeGateway = fromPromise<Probe, { deep: boolean }>(() => {
    world.probes += 1;
    if (world.refuses) return Promise.reject(new Fault('gatewayRefused', REFUSED));
    return world.away
      ? Promise.reject(new Fault('gatewayUnavailable', AWAY))
      : Promise.resolve({ version: '2026.9.6', agents: [] });
  });
  const actor = createActor(gatewayMachine.provide({ actors: { probeGateway } }), {
    clock,
    input: {
      parent: listener.parent,
      configured: true,
      accountAgents: 3,
      reconnect: { baseMs: 1_000, capMs: 15_000 },
      random: () => 0.5,
    },
  }).start();
  await settle();
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 500) {
      clock.increment(500);
      await settle();
    }
  };
  const turnAway = (kind: FaultKind, retryAfterMs = 0): void =>
    actor.send({ type: 'gateway.suspected', kind, reason: `${kind}.`, retryAfterMs });
  const failRun = (session: string, kind: FaultKind): void =>
    actor.send({ type: 'run.failed', session, who: whoIs(session, 'a task'), kind, reason: `${kind}.` });
  /** How often the status moved between well and not well. */
  const changes = (): number => {
    const problems = listener.heard.filter((news) => news.type === 'condition.changed');
    return problems.filter(({ problem }, at) => (problem === null) !== (problems[at - 1]?.problem === null))
      .length;
  };
  return { actor, world, pass, turnAway, failRun, changes, heard: listener.heard };
}

const state = ({ actor }: Awaited<ReturnType<typeof startGateway>>) => actor.getSnapshot();

it('asks at once when a run was cut off, and says that the gateway is away, not its model provider', async () => {
  const gateway = await startGateway();
  gateway.world.away = true;
  for (const session of ['a', 'b', 'c', 'd']) gateway.failRun(session, 'runCut');
  await settle();
  expect(state(gateway).matches('degraded')).toBe(true);
  expect(state(gateway).context.problem).toBe(AWAY);
  expect(gateway.heard.at(-1)).toEqual({ type: 'gateway.lost', excused: true });
});

it('leaves the gate open when runs are cut off and the gateway answers', async () => {
  const gateway = await startGateway();
  const before = gateway.heard.length;
  for (const session of ['a', 'b', 'c', 'd', 'e']) gateway.failRun(session, 'runCut');
  await settle();
  expect(state(gateway).matches({ connected: 'steady' })).toBe(true);
  expect(gateway.heard).toHaveLength(before);
  gateway.world.away = true;
  await gateway.pass(4_000);
  expect(gateway.heard.at(-1)).toEqual({ type: 'gateway.lost', excused: false });
});

it.each([20_000, 3_600_000])('keeps a wait of %d ms that a turned-away run was asked for', async (asked) => {
  const gateway = await startGateway();
  gateway.turnAway('gatewayUnavailable', asked);
  await gateway.pass(asked - 500);
  expect(state(gateway).matches('waiting')).toBe(true);
  expect(state(gateway).context.problem).toBe(`gatewayUnavailable. It asks for a wait of ${asked / 1000} s.`);
  expect(gateway.world.probes).toBe(1);
  await gateway.pass(500);
  expect(state(gateway).matches('connected')).toBe(true);
});

it('keeps the longest of several waits', async () => {
  const gateway = await startGateway();
  gateway.turnAway('gatewayUnavailable', 10_000);
  gateway.turnAway('gatewayUnavailable', 60_000);
  gateway.turnAway('gatewayUnavailable', 20_000);
  await gateway.pass(59_500);
  expect(state(gateway).matches('waiting')).toBe(true);
});

it.each<FaultKind>(['gatewayMisconfigured', 'gatewayUnavailable'])(
  'changes its status at most once more where probes are answered and runs end as %s',
  async (kind) => {
    const gateway = await startGateway();
    for (let second = 0; second < 120; second += 1) {
      const snapshot = state(gateway);
      if (snapshot.hasTag('ready') || snapshot.matches({ ailing: 'trying' })) gateway.turnAway(kind);
      await gateway.pass(1_000);
    }
    expect(gateway.changes()).toBeLessThanOrEqual(4);
    expect(state(gateway).context.problem).toBe(`${kind}.`);
    while (!state(gateway).matches({ ailing: 'trying' })) await gateway.pass(1_000);
    gateway.actor.send({ type: 'run.succeeded', session: 'a' });
    expect(gateway.heard.at(-1)).toEqual({ type: 'gateway.available' });
  },
);

it('opens as soon as a gateway that was away answers, although runs were turned away meanwhile', async () => {
  const gateway = await startGateway();
  gateway.world.away = true;
  for (let run = 0; run < 3; run += 1) gateway.turnAway('gatewayUnavailable');
  await settle();
  expect(state(gateway).matches('degraded')).toBe(true);
  gateway.world.away = false;
  await gateway.pass(1_000);
  expect(state(gateway).matches('connected')).toBe(true);
  expect(gateway.heard.at(-1)).toEqual({ type: 'gateway.available' });
});

it('opens as soon as a probe shows that the token is accepted again', async () => {
  const gateway = await startGateway();
  gateway.turnAway('gatewayRefused');
  expect(state(gateway).matches('refused')).toBe(true);
  await gateway.pass(15_000);
  expect(state(gateway).matches('connected')).toBe(true);
});

it('takes a trial run that fails of itself for an answer to whether runs are taken', async () => {
  const gateway = await startGateway();
  gateway.turnAway('gatewayMisconfigured');
  while (!state(gateway).matches({ ailing: 'trying' })) await gateway.pass(1_000);
  gateway.failRun('a', 'runFailed');
  expect(state(gateway).matches('connected')).toBe(true);
});

it('asks at once when a run is cut off while the gateway wants a wait, and excuses it where the gateway is away', async () => {
  const gateway = await startGateway();
  gateway.turnAway('gatewayUnavailable', 60_000);
  gateway.world.away = true;
  gateway.failRun('a', 'runCut');
  await settle();
  expect(state(gateway).matches('degraded')).toBe(true);
  expect(state(gateway).context.problem).toBe(AWAY);
  expect(gateway.heard.at(-1)).toEqual({ type: 'gateway.lost', excused: true });
});

it('goes on with the wait that it was asked for when the gateway answers after a cut', async () => {
  const gateway = await startGateway();
  gateway.turnAway('gatewayUnavailable', 60_000);
  const before = gateway.heard.length;
  gateway.failRun('a', 'runCut');
  await gateway.pass(59_500);
  expect(gateway.world.probes).toBe(2);
  expect(gateway.heard).toHaveLength(before);
  expect(state(gateway).matches('waiting')).toBe(true);
  await gateway.pass(500);
  expect(state(gateway).matches('connected')).toBe(true);
});

it('looks at once when it is told to, although the gateway wants a wait', async () => {
  const gateway = await startGateway();
  gateway.turnAway('gatewayUnavailable', 3_600_000);
  gateway.actor.send({ type: 'gateway.probe' });
  await settle();
  expect(state(gateway).matches('connected')).toBe(true);
});

it('excuses a run that is cut off while the token is refused, where the next probe fails', async () => {
  const gateway = await startGateway();
  gateway.turnAway('gatewayRefused');
  gateway.failRun('a', 'runCut');
  gateway.world.away = true;
  await gateway.pass(15_000);
  expect(state(gateway).matches('degraded')).toBe(true);
  expect(gateway.heard.at(-1)).toEqual({ type: 'gateway.lost', excused: true });
});

it('excuses no failed run because other runs were turned away', async () => {
  const gateway = await startGateway();
  gateway.turnAway('gatewayMisconfigured');
  while (!state(gateway).matches({ ailing: 'trying' })) await gateway.pass(1_000);
  expect(gateway.heard).not.toContainEqual({ type: 'gateway.lost', excused: true });
  expect(gateway.heard.at(-1)).toEqual({ type: 'gateway.trial' });
});

it('excuses runs that fail alike', async () => {
  const gateway = await startGateway();
  for (const session of ['a/1', 'b/1', 'c/1']) gateway.failRun(session, 'runFailed');
  expect(gateway.heard.at(-1)).toEqual({ type: 'gateway.lost', excused: true, ailing: true });
});

it('asks at once when a run is cut off while it waits for a trial run', async () => {
  const gateway = await startGateway();
  gateway.turnAway('gatewayMisconfigured');
  while (!state(gateway).matches({ ailing: 'trying' })) await gateway.pass(1_000);
  gateway.world.away = true;
  gateway.failRun('a', 'runCut');
  await settle();
  expect(state(gateway).matches('degraded')).toBe(true);
  expect(gateway.heard.at(-1)).toEqual({ type: 'gateway.lost', excused: true });
});

it('keeps the gate shut when a trial fails as the runs before it did, although one was turned away earlier', async () => {
  const gateway = await startGateway();
  gateway.turnAway('gatewayUnavailable');
  await settle();
  for (const session of ['a/1', 'b/1', 'c/1']) gateway.failRun(session, 'runFailed');
  while (!state(gateway).matches({ ailing: 'trying' })) await gateway.pass(1_000);
  gateway.failRun('a/1', 'runFailed');
  expect(state(gateway).matches('ailing')).toBe(true);
});

it.each([4, 20, 50, 200])(
  'is well within 30 s when the gateway was away, refused the token for %i s, and was away again',
  async (refusedForS) => {
    const gateway = await startGateway();
    gateway.world.away = true;
    gateway.failRun('a', 'runCut');
    await gateway.pass(10_000);
    Object.assign(gateway.world, { away: false, refuses: true });
    await gateway.pass(refusedForS * 1_000);
    Object.assign(gateway.world, { away: true, refuses: false });
    await gateway.pass(5_000);
    gateway.world.away = false;
    await gateway.pass(25_000);
    expect(state(gateway).matches('connected')).toBe(true);
  },
);

it('asks a gateway that refuses the token at most five times a minute', async () => {
  const gateway = await startGateway();
  gateway.world.refuses = true;
  gateway.failRun('a', 'runCut');
  await settle();
  const before = gateway.world.probes;
  await gateway.pass(600_000);
  expect(gateway.world.probes - before).toBeLessThanOrEqual(50);
});
