/** Check 12 of docs/agents.md: Mission Control's own functions accept the calls of all tools, and do what ours do. */
import { getFunctionName, makeFunctionReference, type FunctionReference } from 'convex/server';
import { convexToJson, type Value } from 'convex/values';
import * as v from 'valibot';
import { expect, it, test } from 'vitest';
import { createBackend } from '../../convex/testing.setup.ts';
import { sha256Hex } from '../../convex/model/serviceToken.ts';
import type { ActingAgent } from '../../machines/shared/acting.ts';
import type { ServiceClient } from '../../src/mission-control/client.ts';
import { functionFault } from '../../src/mission-control/function-fault.ts';
import { parseAnswer, parseRows } from '../../src/mission-control/parse.ts';
import { toolCalls } from '../../src/mission-control/tool-calls.ts';
import { catalog } from '../../src/tools/catalog/catalog.ts';
import { createExecute } from '../../src/tools/execute.ts';
import { findUpstream, upstreamFunctions } from '../kits/upstream-functions.ts';

const SLUGS = ['squad-lead', 'engineer', 'qa'] as const;
type Slug = (typeof SLUGS)[number];

const FLAGS = {
  canCreateTasks: true,
  canModifyTaskStatus: true,
  canCreateDocuments: true,
  canMentionAgents: true,
  canReviewTasks: true,
  canMarkDone: true,
};

/** One deployment with three agents, of which the first is the orchestrator. */
interface Deployment {
  call: (name: string, args: Record<string, Value>) => Promise<unknown>;
  ids: Record<Slug, string>;
  /** All that agents are told. */
  rows: () => Promise<{ type: string; recipientId: string }[]>;
}

type Step = [who: Slug, tool: string, args: Record<string, unknown>, keep?: string];

/** `$name` is the id that an earlier step kept under this name. The current task is `$main`. */
const SCRIPT: Step[] = [
  ['squad-lead', 'task_create', { title: 'Main', description: 'The work', labels: ['a'] }, 'main'],
  ['squad-lead', 'task_create', { title: 'Other', priority: 'high', assigneeSlugs: ['qa'] }, 'other'],
  ['squad-lead', 'task_assign', { assigneeSlugs: ['engineer'] }],
  ['squad-lead', 'task_assign', { assigneeSlugs: ['@qa'] }],
  ['engineer', 'task_status', { status: 'blocked', blockedReason: 'It waits' }],
  ['engineer', 'task_status', { status: 'in_progress' }],
  ['engineer', 'task_status', { status: 'in_progress' }],
  ['engineer', 'task_update', { title: 'Main work', priority: 2, labels: ['a', 'b'] }],
  ['engineer', 'document_upsert', { title: 'Plan', content: 'First', type: 'note' }, 'plan'],
  ['engineer', 'document_upsert', { documentId: '$plan', title: 'Plan', content: 'Second', type: 'note' }],
  ['engineer', 'document_list', {}],
  ['engineer', 'document_list', { type: 'reference' }],
  ['engineer', 'response_request', { recipientSlugs: ['qa'], message: 'Is it good?' }],
  ['engineer', 'response_request', { recipientSlugs: ['qa'], message: 'And now?' }],
  ['qa', 'get_agent_skills', {}],
  ['qa', 'task_load', {}],
  ['squad-lead', 'task_message', { taskId: '$other', content: 'Go on, please.' }],
  ['squad-lead', 'task_thread', { taskId: '$other' }],
  ['squad-lead', 'task_link_pr', { prNumber: 7 }],
  ['engineer', 'task_status', { status: 'review' }],
  ['squad-lead', 'task_list', { status: 'review' }],
  ['squad-lead', 'task_list', { assigneeSlug: 'qa' }],
  ['squad-lead', 'task_search', { query: 'main work' }],
  ['engineer', 'task_status', { status: 'done' }],
  ['qa', 'task_status', { status: 'done' }],
  ['squad-lead', 'task_delete', { taskId: '$other', reason: 'Not needed' }],
  ['squad-lead', 'task_get', {}],
  ['squad-lead', 'task_get', { taskId: '$other' }],
  ['engineer', 'task_history', {}],
];

/** Says who acted and what came of it, in the same words for any deployment. */
async function play({ call, ids, rows }: Deployment): Promise<unknown[]> {
  const execute = createExecute({
    service: toolCalls(clientOf(call)),
    mode: 'on',
    onBug: (tool, error) => {
      throw new Error(`${tool} has a bug`, { cause: error });
    },
  });
  const kept = new Map<string, string>(SLUGS.map((slug) => [slug, ids[slug]]));
  const told: unknown[] = [];
  for (const [who, tool, args, keep] of SCRIPT) {
    const text = JSON.stringify(args).replaceAll(/\$(\w+)/g, (_, name: string) => kept.get(name) ?? name);
    const options = { repeat: false, since: null, signal: new AbortController().signal };
    const acting = actingAs(who, ids, kept.get('main') ?? null);
    const { output } = await execute({ callId: 'c', name: tool, arguments: text }, acting, options);
    if (keep !== undefined) kept.set(keep, idIn(output));
    const byId = new Map(Array.from(kept, ([name, id]) => [id, name]));
    told.push({ who, tool, args, answer: plain(JSON.parse(output), byId) });
  }
  const slugOf = (id: string): string => SLUGS.find((slug) => ids[slug] === id) ?? id;
  const heard = (await rows()).map(({ type, recipientId }) => `${slugOf(recipientId)}: ${type}`);
  return [...told, { heard: heard.sort() }];
}

const actingAs = (slug: Slug, ids: Record<Slug, string>, taskId: string | null): ActingAgent => ({
  agentId: ids[slug],
  slug,
  isOrchestrator: slug === 'squad-lead',
  flags: FLAGS,
  taskId,
  taskStatus: null,
  inBeat: false,
  known: SLUGS.map((name) => ({ _id: ids[name], slug: name })),
});

const Made = v.object({
  data: v.object({ taskId: v.optional(v.string()), documentId: v.optional(v.string()) }),
});

function idIn(output: string): string {
  const { data } = v.parse(v.pipe(v.string(), v.parseJson(), Made), output);
  return data.documentId ?? data.taskId ?? '';
}

/** What the deployments need not have in common: moments, ids of what is not named here, what people read. */
const LEFT_OUT = new Set([
  ...[
    'createdAt',
    'updatedAt',
    '_creationTime',
    'lastUpdated',
    'accountId',
    'messageId',
    '_id',
    'archivedAt',
    'lastMessageAt',
  ],
  ...['skillIds', 'skillCount', 'activities', 'meta', 'version', 'hint', 'message'],
]);

/** Ids as the names that they were kept under, and without what is left out. */
function plain(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return names.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => plain(item, names));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([key]) => !LEFT_OUT.has(key));
  return Object.fromEntries(entries.map(([key, item]) => [key, inOrder(key, plain(item, names))]));
}

/** Lists without an order of their own. */
const UNORDERED = new Set(['changedFields', 'agents']);

const inOrder = (key: string, value: unknown): unknown =>
  UNORDERED.has(key) && Array.isArray(value) ? value.map((item) => JSON.stringify(item)).sort() : value;

/** The client of the runtime with another way to the functions. */
function clientOf(call: Deployment['call']): ServiceClient {
  const ask = async (action: FunctionReference<'action'>, args: object): Promise<unknown> => {
    const name = getFunctionName(action).replace('service/actions:', '');
    // The network has no undefined.
    const sent = JSON.parse(JSON.stringify(args)) as Record<string, Value>;
    try {
      return await call(name, sent);
    } catch (error) {
      throw functionFault(name, error, 'no token');
    }
  };
  const nameOf = (action: FunctionReference<'action'>): string => getFunctionName(action);
  const rows: ServiceClient['rows'] = (schema, value, action) =>
    parseRows(schema, value, nameOf(action)).rows;
  return {
    rows,
    run: async (action, args) => {
      await ask(action, args);
    },
    read: async (schema, action, args) => parseAnswer(schema, await ask(action, args), nameOf(action)),
    list: async (schema, action, args) => rows(schema, await ask(action, args), action),
    probe: async (schema, action, args) => parseAnswer(schema, await ask(action, args), nameOf(action)),
  };
}

const reference = (name: string) => makeFunctionReference<'action'>(`service/actions:${name}`);
/** As it comes over the network. */
const overTheWire = (value: unknown): unknown => convexToJson((value ?? null) as Value);

async function local(): Promise<Deployment> {
  const backend = await createBackend();
  const ids = { 'squad-lead': backend.lead, engineer: backend.engineer, qa: backend.qa };
  for (const id of Object.values(ids)) await backend.setFlags(id, FLAGS);
  // What the demo begins with is nothing that the other deployment has.
  await backend.t.run(async ({ db }) => {
    for (const table of ['tasks', 'documents', 'messages', 'notifications'] as const) {
      for (const row of await db.query(table).collect()) await db.delete(table, row._id);
    }
  });
  return {
    ids,
    rows: () =>
      backend.t.run(async ({ db }) =>
        (await db.query('notifications').collect()).filter(({ recipientType }) => recipientType === 'agent'),
      ),
    call: async (name, args) =>
      overTheWire(await backend.t.action(reference(name), { ...backend.auth, ...args })),
  };
}

const SECRET = 'ab'.repeat(32);

const Rows = v.array(v.looseObject({ type: v.string(), recipientType: v.string(), recipientId: v.string() }));

const NAMES = { 'squad-lead': 'Squad Lead', engineer: 'Engineer', qa: 'QA' };

async function upstream(checkout: string): Promise<Deployment> {
  const t = await upstreamFunctions(checkout);
  const serviceTokenHash = await sha256Hex(SECRET);
  const { accountId, ids } = await t.run(async ({ db }) => {
    const common = { name: 'Demo', createdAt: Date.now() };
    const account = { ...common, slug: 'demo', plan: 'free', runtimeStatus: 'online', serviceTokenHash };
    const made = await db.insert('accounts', account);
    const agents: [Slug, string][] = [];
    for (const slug of SLUGS) {
      const openclawConfig = { model: 'm', temperature: 0, skillIds: [], behaviorFlags: FLAGS };
      const role = { 'squad-lead': 'Squad lead', engineer: 'Software engineer', qa: 'QA engineer' }[slug];
      const agent = {
        accountId: made,
        name: NAMES[slug],
        slug,
        role,
        status: 'online',
        heartbeatInterval: 15,
      };
      agents.push([slug, await db.insert('agents', { ...agent, openclawConfig, createdAt: Date.now() })]);
    }
    const known = Object.fromEntries(agents) as Record<Slug, string>;
    await db.patch(made, { settings: { orchestratorAgentId: known['squad-lead'] } });
    return { accountId: made, ids: known };
  });
  const auth = { accountId, serviceToken: `mc_service_${accountId}_${SECRET}` };
  return {
    ids,
    rows: async () => {
      const rows = await t.run(({ db }) => db.query('notifications').collect());
      return v.parse(Rows, rows).filter(({ recipientType }) => recipientType === 'agent');
    },
    call: async (name, args) => overTheWire(await t.action(reference(name), { ...auth, ...args })),
  };
}

const found = findUpstream();

if ('missing' in found) {
  it.skip(`check 12, contract (skipped: ${found.missing})`, () => undefined);
} else {
  test('check 12, contract: the functions of Mission Control accept the calls of all 17 tools, and ours do the same', async () => {
    const theirs = await play(await upstream(found.checkout));
    const ours = await play(await local());
    expect(new Set(SCRIPT.map(([, tool]) => tool))).toEqual(new Set(catalog.map(({ name }) => name)));
    expect(theirs).toEqual(ours);
    // A call that was refused on both sides would say nothing.
    const refused = theirs.filter((step) => JSON.stringify(step).includes('"ok":false'));
    expect(refused).toMatchObject([{ who: 'engineer', tool: 'task_status', args: { status: 'done' } }]);
  });
}
