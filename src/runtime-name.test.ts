import { expect, test } from 'vitest';
import { runtimeName } from './runtime-name.ts';

function memory() {
  const values = new Map<string, unknown>();
  return {
    read: (key: string) => values.get(key) ?? null,
    put: (key: string, value: unknown) => void values.set(key, value),
  };
}

test('the name of a runtime stays the same, and two have different ones', () => {
  const store = memory();
  const name = runtimeName(store);
  expect(runtimeName(store)).toBe(name);
  expect(runtimeName(memory())).not.toBe(name);
});

test('what is no name is replaced', () => {
  const store = memory();
  store.put('runtime', { name: 7 });
  const name = runtimeName(store);
  expect(name).toMatch(/^[0-9a-f-]{36}$/);
  expect(runtimeName(store)).toBe(name);
});
