/** Retry-After of the gateway is a floor: it is not probed before that, unless somebody asks for it. */
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock } from 'xstate';
import { Fault } from '../shared/fault.ts';
import { createListener, settle } from '../../test/kits/samples/mission-control.ts';
import { gatewayMachine, type GatewayNews, type Probe } from './machine.ts';

const FLOOR_MS = 90_000;

/** A gateway whose first probe is answered with 503 and Retry-After; all later ones succeed. */
function startProbing() {
  const clock = new SimulatedClock();
  const probes: number[] = [];
  const probeGateway = fromPromise<Probe, { deep: boolean }>(() => {
    probes.push(clock.now());
    if (probes.length > 1) return Promise.resolve({ version: '2026.9.6', agents: [] });
    return Promise.reject(new Fault('gatewayUnavailable', 'Not now.', { retryAfterMs: FLOOR_MS }));
  });
  const actor = createActor(gatewayMachine.provide({ actors: { probeGateway } }), {
    clock,
    input: {
      parent: createListener<GatewayNews>().parent,
      configured: true,
      accountAgents: 3,
      reconnect: { baseMs: 1_000, capMs: 15_000 },
      random: () => 0.5,
    },
  }).start();
  const pass = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      await settle();
      clock.increment(1_000);
    }
    await settle();
  };
  return { actor, probes, pass };
}

it('waits as long as it is asked to, and not longer', async () => {
  const { probes, pass } = startProbing();
  await pass(FLOOR_MS - 1_000);
  expect(probes).toEqual([0]);
  await pass(1_000);
  expect(probes).toEqual([0, FLOOR_MS]);
});

it('looks at once when it is told to', async () => {
  const { actor, probes, pass } = startProbing();
  await pass(5_000);
  actor.send({ type: 'gateway.probe' });
  await settle();
  expect(probes).toEqual([0, 5_000]);
});
