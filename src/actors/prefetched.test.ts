import { expect, test } from 'vitest';
import { sampleContext, sampleRow } from '../../test/kits/samples/mission-control.ts';
import { createPrefetched } from './prefetched.ts';

const contextOf = (id: string) => sampleContext({ notification: sampleRow({ _id: id }) });

function start() {
  const clock = { ms: 0 };
  return { clock, prefetched: createPrefetched(() => clock.ms) };
}

test('a context of the list is given once, and its typing indicator is on', async () => {
  const { prefetched } = start();
  const context = contextOf('n1');
  prefetched.keep([context]);
  expect(await prefetched.take('n1')).toBe(context);
  expect(prefetched.isTyping('n1')).toBe(true);
  expect(prefetched.isTyping('n1')).toBe(false);
  expect(await prefetched.take('n1')).toBeNull();
});

test('the next list takes the place of the one before', async () => {
  const { prefetched } = start();
  prefetched.keep([contextOf('n1')]);
  prefetched.keep([]);
  expect(await prefetched.take('n1')).toBeNull();
});

test('what was read more than a moment ago is not used', async () => {
  const { clock, prefetched } = start();
  prefetched.keep([contextOf('n1')]);
  prefetched.keepNext('n2', Promise.resolve(contextOf('n2')));
  clock.ms = 2_001;
  expect(await prefetched.take('n1')).toBeNull();
  expect(prefetched.isTyping('n1')).toBe(false);
  expect(await prefetched.take('n2')).toBeNull();
});

test('the next row of a session is waited for while it is on its way; nobody types for it yet', async () => {
  const { prefetched } = start();
  const loading = Promise.withResolvers<ReturnType<typeof contextOf>>();
  prefetched.keepNext('n1', loading.promise);
  const taken = prefetched.take('n1');
  const context = contextOf('n1');
  loading.resolve(context);
  expect(await taken).toBe(context);
  expect(prefetched.isTyping('n1')).toBe(false);
  expect(await prefetched.take('n1')).toBeNull();
});

test('one that fails is as good as none, also when nobody takes it', async () => {
  const { prefetched } = start();
  prefetched.keepNext('n1', Promise.reject(new Error('away')));
  prefetched.keepNext('n2', Promise.reject(new Error('away')));
  expect(await prefetched.take('n1')).toBeNull();
});
