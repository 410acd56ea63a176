import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { relayTo } from '../../kits/relay.ts';
import { startRuntime } from '../../kits/runtime.ts';
import { echoGateway, missionControl } from '../../kits/stack.ts';
import type { FaultCase } from '../case.ts';
import { fakeClock } from '../fake-clock.ts';
import { allDelivered, ask, expectGoodOrder, mostRuns } from '../stage.ts';

const DAY_MS = 86_400_000;
const LOOK_MS = 6_000;

/** The settings say one look a second when idle, and a few quick ones after each delivery. */
const FEWEST_POLLS = 3;
const MOST_POLLS = 25;

/** @param days how far the wall clock jumps while the runtime is idle */
const jump = (name: string, offset: string, days: number): FaultCase => ({
  name,
  what: `the wall clock jumps by ${offset}: polling neither stops nor floods, rows are delivered`,
  nothingToName: 'the wall clock decides nothing',
  async run(test) {
    const clock = fakeClock(test);
    const [backend, gateway] = await Promise.all([missionControl(), echoGateway()]);
    const relay = await relayTo(backend.url);
    const runtime = await startRuntime({
      backend: { ...backend, url: relay.url },
      gateway,
      env: clock.env,
    });
    const stage = { backend, gateway, runtime };
    await ask(stage, 'before');
    await allDelivered(stage);
    clock.jump(offset);
    const looks = () =>
      ['listUndeliveredNotifications', 'listWithContexts', 'leaseNotifications'].reduce(
        (sum, name) => sum + relay.count(name),
        0,
      );
    const before = looks();
    await delay(LOOK_MS);
    const polls = looks() - before;
    expect(polls).toBeGreaterThanOrEqual(FEWEST_POLLS);
    expect(polls).toBeLessThanOrEqual(MOST_POLLS);
    await ask(stage, 'after');
    await allDelivered(stage);
    await expectGoodOrder(stage);
    expect(await mostRuns(stage)).toBe(1);
    const { delivery } = await runtime.health();
    const moved = (Date.parse(delivery.lastDeliveryAt ?? '') - Date.now()) / DAY_MS;
    expect(moved, 'the clock did jump').toBeCloseTo(days, 1);
    return `${polls} looks in ${LOOK_MS / 1_000} s, delivered before and after`;
  },
});

export const clockCases: readonly FaultCase[] = [
  jump('clock-forward', '+5d', 5),
  jump('clock-back', '-5d', -5),
];
