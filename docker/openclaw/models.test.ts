import { expect, test } from 'vitest';
import type { JsonObject } from './json.ts';
import { modelPatch, namesOf, parseModelMap } from './models.ts';

const config = (models: Record<string, string>): JsonObject => ({
  agents: {
    entries: Object.fromEntries(
      Object.entries(models).map(([id, model]): [string, JsonObject] => [id, model === '' ? {} : { model }]),
    ),
  },
});

test('the map is read; a part that says nothing is named and left out', () => {
  const notes: string[] = [];
  const map = parseModelMap(' claude = anthropic/claude-x , gpt=openai/a/b,, nonsense, x=y', (note) =>
    notes.push(note),
  );
  expect([...map]).toEqual([
    ['claude', 'anthropic/claude-x'],
    ['gpt', 'openai/a/b'],
  ]);
  expect(notes).toEqual([
    'OPENCLAW_AGENT_MODELS: "nonsense" is not word=provider/model, and is left out',
    'OPENCLAW_AGENT_MODELS: "x=y" is not word=provider/model, and is left out',
  ]);
});

test('a model is set, changed, and taken back where it was set here', () => {
  const first = modelPatch(config({ a: '' }), new Map([['a', 'p/1']]), {});
  expect(first).toEqual({ patch: { agents: { entries: { a: { model: 'p/1' } } } }, set: { a: 'p/1' } });
  expect(modelPatch(config({ a: 'p/1' }), new Map([['a', 'p/1']]), first.set).patch).toBeNull();
  const second = modelPatch(config({ a: 'p/1' }), new Map([['a', 'p/2']]), first.set);
  expect(second.patch).toEqual({ agents: { entries: { a: { model: 'p/2' } } } });
  expect(modelPatch(config({ a: 'p/2' }), new Map(), second.set)).toEqual({
    patch: { agents: { entries: { a: { model: null } } } },
    set: {},
  });
});

test("somebody else's model stays, and an agent that the gateway does not know gets none", () => {
  expect(modelPatch(config({ a: 'own/model' }), new Map(), { a: 'p/1' })).toEqual({ patch: null, set: {} });
  expect(modelPatch(config({ a: 'own/model' }), new Map(), {})).toEqual({ patch: null, set: {} });
  expect(modelPatch(config({}), new Map([['b', 'p/1']]), {})).toEqual({ patch: null, set: {} });
});

test("the gateway's list is read for its names", () => {
  const models = [{ id: 'm', provider: 'custom' }, { id: 'a/b', provider: 'router' }, { id: 'x' }, null];
  expect([...namesOf({ models })]).toEqual(['custom/m', 'router/a/b']);
  for (const other of [null, {}, { models: 1 }]) expect(namesOf(other).size).toBe(0);
});
