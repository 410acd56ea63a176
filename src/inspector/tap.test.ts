/** The tap on the whole runtime as machines, under schedules of answers, failures and crashes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnyActorRef } from 'xstate';
import { isSessionActor } from '../../machines/shared/actor-name.ts';
import type { FaultKind } from '../../machines/shared/fault.ts';
import { settle } from '../../test/kits/samples/mission-control.ts';
import { childrenOf, crash, startSystem, type System } from '../../test/kits/supervised-system.ts';
import { apply, createModel } from './page/model.ts';
import { createRing } from './ring.ts';
import { picture } from '../../test/kits/samples/inspector.ts';
import { createTap } from './tap.ts';
import type { ActorView, Entry, News } from './wire.ts';

const quiet = {
  since: () => null,
  onError: (error: unknown) => {
    throw error;
  },
};

function tapOn(root: AnyActorRef, tell: (news: News) => void) {
  return createTap({ root, tell, restarts: () => 0, ...quiet });
}

/** A page that watches the system from now on. */
function watch(root: AnyActorRef) {
  const ring = createRing(10);
  const told: Entry[] = [];
  const tap = tapOn(root, (news) => told.push(ring.add(0, news)));
  const model = createModel({ picture: picture(tap.attach()), history: [] });
  return {
    tap,
    told,
    /** What the page knows after all that it was told. */
    actors(): Map<string, ActorView> {
      tap.settle();
      for (const entry of told.filter(({ seq }) => seq > model.seq)) apply(model, entry);
      return model.actors;
    },
  };
}

/** The same as it truly is, from a tap that has just begun. */
function truth(root: AnyActorRef): ActorView[] {
  const tap = tapOn(root, () => undefined);
  const actors = tap.attach();
  tap.detach();
  return actors;
}

const comparable = (actors: Iterable<ActorView>) =>
  [...actors]
    .map(({ path, parent, machine, states, tags, status, timers }) => ({
      path,
      parent,
      machine,
      states,
      tags,
      status,
      timers: timers.map(({ name, state }) => ({ name, state })),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('answer' as const), which: fc.nat(9) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom<FaultKind>('runFailed', 'gatewayUnavailable', 'backendUnavailable', 'bug'),
      which: fc.nat(9),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), which: fc.integer({ min: 1, max: 20_000 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'crashChild' as const), which: fc.nat(9) }),
  },
);

async function take({ around, clock, root }: System, { do: what, which }: { do: string; which: number }) {
  const call = around.calls[which % Math.max(1, around.calls.length)];
  const heads = Object.values(childrenOf(root));
  const children = Object.values(
    childrenOf(root).delivery ? childrenOf(childrenOf(root).delivery as AnyActorRef) : {},
  );
  if (what === 'wait') clock.increment(which);
  else if (what === 'answer') call?.succeed();
  else if (what === 'crash') crash(children[which % children.length]);
  else if (what === 'crashChild') crash(heads.filter(isSessionActor)[which % 3]);
  else call?.fail(what as FaultKind);
  await settle();
}

describe('the tap', () => {
  it('tells a page everything: what it knows is what is so, after every step', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const system = startSystem([0, 1, 2, 0, 1]);
        const page = watch(system.root);
        await settle();
        for (const one of steps) {
          await take(system, one);
          expect(comparable(page.actors().values())).toEqual(comparable(truth(system.root)));
        }
        page.tap.detach();
        system.root.stop();
      }),
      { numRuns: 60 },
    );
  });

  it('names sender, receiver, event, states and the edge that was taken', async () => {
    const system = startSystem([]);
    const page = watch(system.root);
    await settle();
    for (let n = 0; n < 20; n += 1) await take(system, { do: 'answer', which: 0 });
    const steps = page.told.filter((entry) => entry.kind === 'step');
    expect(steps).toContainEqual(
      expect.objectContaining({
        path: 'supervisor/gateway',
        from: ['probing'],
        to: ['connected.steady'],
        event: 'xstate.done.actor.0.gateway.probing',
        by: 'supervisor/gateway',
        call: 'probeGateway',
        edges: ['gateway.probing xstate.done.actor.0.gateway.probing 0'],
      }),
    );
    expect(steps).toContainEqual(
      expect.objectContaining({
        path: 'supervisor/upgrade',
        event: 'upgrade.check',
        by: 'supervisor',
        call: null,
      }),
    );
    system.root.stop();
  });

  it('names the timers and the state that waits', async () => {
    const system = startSystem([]);
    await settle();
    for (let n = 0; n < 20; n += 1) await take(system, { do: 'answer', which: 0 });
    const gateway = truth(system.root).find(({ id }) => id === 'gateway');
    expect(gateway?.timers).toEqual([
      { name: 'checkInterval', state: 'gateway.connected.steady', at: expect.any(Number) as number },
    ]);
    system.root.stop();
  });

  it('says nothing when it is detached, and breaks no transition when it fails', async () => {
    const system = startSystem([0]);
    const errors: unknown[] = [];
    const tap = createTap({
      root: system.root,
      since: () => null,
      restarts: () => 0,
      tell: () => {
        throw new Error('the viewer is broken');
      },
      onError: (error) => errors.push(error),
    });
    tap.attach();
    await settle();
    for (let n = 0; n < 20; n += 1) await take(system, { do: 'answer', which: 0 });
    expect(errors).not.toEqual([]);
    expect(system.root.getSnapshot().value).toBe('running');
    tap.detach();
    const count = errors.length;
    await take(system, { do: 'wait', which: 60_000 });
    expect(errors).toHaveLength(count);
    system.root.stop();
  });
});
