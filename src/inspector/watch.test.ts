import { afterEach, describe, expect, test } from 'vitest';
import { settle } from '../../test/kits/samples/mission-control.ts';
import { startSystem, type System } from '../../test/kits/supervised-system.ts';
import { until } from '../../test/kits/until.ts';
import type { Message } from './hub.ts';
import { STATUS } from '../../test/kits/samples/inspector.ts';
import { KEPT_ENTRIES } from './session.ts';
import { createWatch, type Watch } from './watch.ts';
import type { Entry, Hello } from './wire.ts';

let open: { watch: Watch; system: System }[] = [];
afterEach(() => {
  for (const { watch, system } of open) {
    watch.end();
    system.root.stop();
  }
  open = [];
});

async function startWatch(lingerMs?: number) {
  const system = startSystem([]);
  await settle();
  const told: Message[] = [];
  const status = { ...STATUS };
  const watch = createWatch(
    {
      root: system.root,
      since: () => 1,
      restarts: () => 0,
      status: () => ({ ...status }),
      past: () => ({ lines: {}, samples: [] }),
      version: '1.2.3',
      tell: (message) => told.push(message),
      onError: (error) => {
        throw error;
      },
    },
    lingerMs,
  );
  open.push({ watch, system });
  const stir = (): void => system.root.send({ type: 'delivery.poll' });
  const entries = (): Entry[] => told.flatMap(({ data }) => data as Entry[]);
  return { system, watch, told, status, stir, entries };
}

const helloOf = ({ name, data }: Message): Hello => {
  expect(name).toBe('hello');
  return data as Hello;
};

describe('a new viewer', () => {
  test('is told everything as it is, and what came before that is still kept', async () => {
    const { watch, stir } = await startWatch();
    const first = helloOf(watch.greet(null));
    expect(first.picture).toMatchObject({ version: '1.2.3', seq: 0, status: STATUS });
    expect(first.picture.actors.map(({ path }) => path)).toContain('supervisor/gateway');
    expect(first.history).toEqual([]);
    stir();
    const second = helloOf(watch.greet(null));
    expect(second.history.map(({ seq }) => seq)).toEqual([1]);
    expect(second.picture.seq).toBe(1);
    expect(second.picture.epoch).toBe(first.picture.epoch);
  });

  test('does not make the others hear something twice', async () => {
    const { watch, stir, entries } = await startWatch();
    watch.greet(null);
    stir();
    const greeting = watch.greet(null);
    stir();
    await until('The second is told', () => entries().length === 2);
    expect(entries().map(({ seq }) => seq)).toEqual([1, 2]);
    expect(greeting.id).toMatch(/\.1$/);
  });
});

describe('a viewer that comes back', () => {
  test('is told what it missed, no more and no less', async () => {
    const { watch, stir } = await startWatch();
    const { id } = watch.greet(null);
    for (let n = 0; n < 5; n += 1) stir();
    const back = watch.greet(id);
    expect(back.name).toBe('entries');
    expect((back.data as Entry[]).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(watch.greet(back.id)).toMatchObject({ name: 'entries', data: [] });
  });

  test.each(['another.3', '', 'x', '.', 'e.e.e'])(
    'is told everything when its place is not ours: %s',
    async (id) => {
      const { watch } = await startWatch();
      watch.greet(null);
      helloOf(watch.greet(id));
    },
  );

  test('is told everything when it was away for too long', async () => {
    const { watch, stir } = await startWatch();
    const { id } = watch.greet(null);
    for (let n = 0; n <= 2 * KEPT_ENTRIES; n += 1) stir();
    expect(helloOf(watch.greet(id)).history).toHaveLength(KEPT_ENTRIES);
  });
});

describe('listening', () => {
  test('begins with the first viewer and ends a while after the last', async () => {
    const { watch, stir, told } = await startWatch(50);
    expect(watch.isListening()).toBe(false);
    const { id } = watch.greet(null);
    watch.linger();
    expect(watch.isListening()).toBe(true);
    await until('It has stopped', () => !watch.isListening());
    stir();
    await settle();
    expect(told).toEqual([]);
    // What happened meanwhile was not heard, so it begins again.
    helloOf(watch.greet(id));
  });

  test('goes on when somebody comes back in time', async () => {
    const { watch, stir } = await startWatch(1_000_000);
    const { id } = watch.greet(null);
    watch.linger();
    stir();
    expect((watch.greet(id).data as Entry[]).map(({ seq }) => seq)).toEqual([1]);
  });

  test('tells the status when it changes, and the end', async () => {
    const { watch, status, entries } = await startWatch();
    watch.greet(null);
    status.delivered = 3;
    await until('The status is told', () => entries().some(({ kind }) => kind === 'status'));
    watch.leave(0, 'stopped by SIGTERM');
    expect(entries().at(-1)).toMatchObject({ kind: 'left', exitCode: 0, reason: 'stopped by SIGTERM' });
  });
});
