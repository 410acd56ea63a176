/** Which model an agent runs on, where OPENCLAW_AGENT_MODELS says so; the gateway's own choice is left alone otherwise. */
import { at, type JsonObject } from './json.ts';

/**
 * Reads `word=provider/model, word=provider/model`.
 * @param note is told of each part that says nothing
 */
export function parseModelMap(text: string, note: (line: string) => void): Map<string, string> {
  const map = new Map<string, string>();
  for (const part of text.split(',').map((part) => part.trim())) {
    if (part === '') continue;
    const [, word, model] = /^([^=]+?)\s*=\s*([^\s=/]+\/\S+)$/.exec(part) ?? [];
    if (word === undefined || model === undefined) {
      note(`OPENCLAW_AGENT_MODELS: ${JSON.stringify(part)} is not word=provider/model, and is left out`);
    } else {
      map.set(word, model);
    }
  }
  return map;
}

/**
 * What has to be merged into the configuration so that agents run on their models. A model that was set here, and is not
 * wanted any more, goes; one that somebody else set stays.
 *
 * @param wanted models by agent id
 * @param set what was set here before
 * @returns patch: null when there is nothing to do; set: what is set here afterwards
 */
export function modelPatch(
  config: JsonObject,
  wanted: ReadonlyMap<string, string>,
  set: Readonly<Record<string, string>>,
): { patch: JsonObject | null; set: Record<string, string> } {
  const entries: JsonObject = {};
  const after: Record<string, string> = {};
  for (const [id, model] of wanted) {
    if (at(config, 'agents', 'entries', id) === undefined) continue;
    after[id] = model;
    if (at(config, 'agents', 'entries', id, 'model') !== model) entries[id] = { model };
  }
  for (const [id, model] of Object.entries(set)) {
    if (id in after || at(config, 'agents', 'entries', id, 'model') !== model) continue;
    entries[id] = { model: null };
  }
  return { patch: Object.keys(entries).length === 0 ? null : { agents: { entries } }, set: after };
}

/** @returns the names of the models that the gateway lists, from its answer to `models.list` */
export function namesOf(answer: unknown): Set<string> {
  const names = new Set<string>();
  const models = typeof answer === 'object' && answer !== null && 'models' in answer ? answer.models : [];
  for (const model of Array.isArray(models) ? (models as unknown[]) : []) {
    if (typeof model !== 'object' || model === null || !('id' in model) || !('provider' in model)) continue;
    names.add(`${String(model.provider)}/${String(model.id)}`);
  }
  return names;
}
