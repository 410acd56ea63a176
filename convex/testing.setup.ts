/** A seeded backend for the tests in this folder. Convex deploys no file with two dots in its name. */
import { convexTest } from 'convex-test';
import { ENGINE, localBackend, type TestBackend } from '../test/kits/convex-engines/backend.ts';
import { api, internal } from './_generated/api.js';
import type { Doc, Id } from './_generated/dataModel.js';
import { sha256Hex } from './model/serviceToken.ts';
import schema from './schema.ts';

const modules = {
  '/convex/_generated/api.js': () => import('./_generated/api.js'),
  '/convex/accounts.ts': () => import('./accounts.ts'),
  '/convex/demo/actions.ts': () => import('./demo/actions.ts'),
  '/convex/demo/live.ts': () => import('./demo/live.ts'),
  '/convex/demo/people.ts': () => import('./demo/people.ts'),
  '/convex/demo/seed.ts': () => import('./demo/seed.ts'),
  '/convex/service/actions.ts': () => import('./service/actions.ts'),
  '/convex/service/agents.ts': () => import('./service/agents.ts'),
  '/convex/service/delivery.ts': () => import('./service/delivery.ts'),
  '/convex/service/extensions.ts': () => import('./service/extensions.ts'),
  '/convex/service/fastPath.ts': () => import('./service/fastPath.ts'),
  '/convex/service/runtime.ts': () => import('./service/runtime.ts'),
  '/convex/service/toolReads.ts': () => import('./service/toolReads.ts'),
  '/convex/service/tools.ts': () => import('./service/tools.ts'),
};

export const SECRET = 'ab'.repeat(32);
const PERSON_SECRET = 'cd'.repeat(32);

export const service = api.service.actions;

/** @param engine whose database it is; files are kept by convex-test alone */
export async function createBackend(engine = ENGINE) {
  // Both run the same tests, so that convex-test shows whether the engine of the local Mission Control is right.
  const t: TestBackend = engine === 'local' ? await localBackend() : convexTest(schema, modules);
  const [serviceTokenHash, personTokenHash] = await Promise.all([
    sha256Hex(SECRET),
    sha256Hex(PERSON_SECRET),
  ]);
  const seeded = await t.mutation(internal.demo.seed.demo, { serviceTokenHash, personTokenHash });
  const { accountId } = seeded;
  const auth = { accountId, serviceToken: `mc_service_${accountId}_${SECRET}` };
  const person = { accountId, personToken: `mc_person_${accountId}_${PERSON_SECRET}` };
  const roster = await t.action(service.listAgents, auth);

  const agentId = (slug: string): Id<'agents'> => found(roster.find((agent) => agent.slug === slug))._id;
  const taskId = (title: string): Id<'tasks'> => found(seeded.tasks.find((task) => task.title === title))._id;
  return {
    t,
    auth,
    person,
    lead: agentId('squad-lead'),
    engineer: agentId('engineer'),
    qa: agentId('qa'),
    bug: taskId('Fix the login bug'),
    notes: taskId('Write the release notes'),
    chat: taskId('Chat with the squad lead'),
    /** A person writes. */
    say: (task: Id<'tasks'>, content: string) =>
      t.action(api.demo.actions.postMessage, { ...person, taskId: task, content }),
    /** The delivery queue, oldest first. */
    queue: () => t.action(service.listUndeliveredNotifications, auth),
    setFlags: (agent: Id<'agents'>, flags: Partial<Flags>) =>
      t.run(async (ctx) => {
        const { openclawConfig } = found(await ctx.db.get('agents', agent));
        const behaviorFlags = { ...DENY_ALL, ...flags };
        await ctx.db.patch('agents', agent, {
          openclawConfig: { ...found(openclawConfig), behaviorFlags },
        });
      }),
    /** Another account, without a token. */
    addAccount: () =>
      t.run((ctx) => {
        const other = { name: 'Other', slug: 'other', plan: 'free', createdAt: 0 };
        return ctx.db.insert('accounts', { ...other, runtimeStatus: 'provisioning' });
      }),
    patchTask: (task: Id<'tasks'>, fields: Partial<Doc<'tasks'>>) =>
      t.run((ctx) => ctx.db.patch('tasks', task, fields)),
  };
}

type Flags = typeof DENY_ALL;

const DENY_ALL = {
  canCreateTasks: false,
  canModifyTaskStatus: false,
  canCreateDocuments: false,
  canMentionAgents: false,
  canReviewTasks: false,
  canMarkDone: false,
};

/** @throws Error when the value is absent */
export function found<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('not there');
  return value;
}

/** The data of a rejected call's error, as a client gets it. */
export const carrying = (code: string, message: string) => ({ data: { code, message } });
