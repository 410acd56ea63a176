/**
 * All machines together on a simulated clock, and one kind of trouble after another: within 20 s /health is not healthy
 * and says whose trouble it is, it stays so until the end, and 30 s after the end it is healthy.
 */
import { describe, expect, it } from 'vitest';
import { settle } from '../../test/kits/samples/mission-control.ts';
import { addRow } from '../../test/kits/schedule.ts';
import { startSystem, type System } from '../../test/kits/supervised-system.ts';
import type { FaultKind } from '../shared/fault.ts';

const SESSIONS = [0, 1, 2, 3];
/** Answers follow each other within a second of the clock. */
const ROUNDS = 12;

interface Kind {
  what: string;
  /** The calls that fail, and how. */
  fails: Readonly<Record<string, FaultKind>>;
  /** What a problem on /health says. */
  names: RegExp;
}

const KINDS: readonly Kind[] = [
  {
    what: 'the gateway is away',
    fails: { probeGateway: 'gatewayUnavailable', runAgent: 'gatewayUnavailable' },
    names: /gateway/i,
  },
  {
    what: 'the gateway refuses the token',
    fails: { probeGateway: 'gatewayRefused', runAgent: 'gatewayRefused' },
    names: /gateway/i,
  },
  {
    what: 'no OpenClaw gateway answers',
    fails: { probeGateway: 'gatewayMisconfigured', runAgent: 'gatewayMisconfigured' },
    names: /gateway/i,
  },
  { what: 'every run fails', fails: { runAgent: 'runFailed' }, names: /runAgent failed/ },
  { what: 'every run is cut', fails: { runAgent: 'runCut' }, names: /runAgent failed/ },
  {
    what: 'reading a context fails for every notification',
    fails: { readContext: 'backendRejected' },
    names: /function getNotificationForDelivery/,
  },
  {
    what: 'posting fails for every notification',
    fails: { postMessage: 'backendRejected', postAgain: 'backendRejected' },
    names: /function createMessageFromAgent/,
  },
  {
    what: 'marking fails for every notification',
    fails: { markDelivered: 'backendRejected' },
    names: /function markNotificationDelivered/,
  },
  {
    what: 'Convex does not answer the function that posts, and answers all others',
    fails: { postMessage: 'backendUnavailable', postAgain: 'backendUnavailable' },
    names: /function createMessageFromAgent/,
  },
  {
    what: 'Convex does not answer the function that reads a context, and answers all others',
    fails: { readContext: 'backendUnavailable' },
    names: /function getNotificationForDelivery/,
  },
  {
    what: 'Convex gives no list',
    fails: { listUndelivered: 'backendUnavailable' },
    names: /list of notifications/,
  },
  {
    what: 'the service token is refused',
    fails: { listUndelivered: 'backendRefused' },
    names: /list of notifications/,
  },
];

/** So many seconds pass; every call is answered, as the trouble has it. @returns the problems after each second */
async function pass(system: System, seconds: number, fails: Kind['fails']): Promise<string[][]> {
  const { around, clock, root } = system;
  const problems: string[][] = [];
  for (let second = 0; second < seconds; second += 1) {
    if (second % 2 === 0) addRow(around, (second / 2) % SESSIONS.length);
    clock.increment(1_000);
    for (let round = 0; round < ROUNDS; round += 1) {
      await settle();
      for (const call of [...around.calls]) {
        const kind = fails[call.name];
        if (kind === undefined) call.succeed();
        else call.fail(kind);
      }
    }
    problems.push(Object.values(root.getSnapshot().context.conditions).map(({ problem }) => problem));
  }
  return problems;
}

describe.each(KINDS)('$what', ({ fails, names }) => {
  it('is named within 20 s and until its end, and all is well within 30 s of it', async () => {
    const system = startSystem(SESSIONS);
    const before = await pass(system, 40, {});
    expect(before.at(-1), 'before the trouble').toEqual([]);
    const during = await pass(system, 60, fails);
    const isNamed = (problems: readonly string[]): boolean => problems.some((problem) => names.test(problem));
    const namedAt = during.findIndex(isNamed);
    expect(namedAt, JSON.stringify([...new Set(during.flat())])).not.toBe(-1);
    expect(namedAt, 'seconds until it is named').toBeLessThan(20);
    expect(
      during.slice(namedAt).filter((problems) => problems.length === 0),
      'healthy meanwhile',
    ).toEqual([]);
    const after = await pass(system, 30, {});
    expect(after.at(-1), 'after the trouble').toEqual([]);
    expect(system.around.wrongs).toEqual([]);
  });
});
