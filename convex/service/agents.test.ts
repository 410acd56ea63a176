import { expect, test } from 'vitest';
import { api } from '../_generated/api.js';
import { carrying, createBackend, found, service } from '../testing.setup.ts';

test('an agent’s flags: defaults, then the account’s, then its own', async () => {
  const backend = await createBackend();
  await backend.t.run(async (ctx) => {
    const { settings } = found(await ctx.db.get('accounts', backend.auth.accountId));
    const agentDefaults = { behaviorFlags: { canCreateTasks: true, canMarkDone: true } };
    await ctx.db.patch('accounts', backend.auth.accountId, { settings: { ...settings, agentDefaults } });
  });
  await backend.setFlags(backend.qa, { canReviewTasks: true });
  const roster = await backend.t.action(service.listAgents, backend.auth);
  const flagsOf = (slug: string) => found(roster.find((agent) => agent.slug === slug)).effectiveBehaviorFlags;
  expect(flagsOf('engineer')).toEqual({
    canCreateTasks: true,
    canModifyTaskStatus: true,
    canCreateDocuments: true,
    canMentionAgents: true,
    canReviewTasks: false,
    canMarkDone: true,
  });
  expect(flagsOf('qa')).toMatchObject({ canCreateTasks: false, canReviewTasks: true, canMarkDone: false });
});

test('profiles hold the enabled skills, in the agent’s order', async () => {
  const backend = await createBackend();
  const { accountId } = backend.auth;
  await backend.t.run(async (ctx) => {
    const add = (slug: string, isEnabled: boolean) =>
      ctx.db.insert('skills', { accountId, name: slug, slug, isEnabled });
    const skillIds = [await add('b', true), await add('off', false), await add('a', true)];
    const { openclawConfig } = found(await ctx.db.get('agents', backend.engineer));
    await ctx.db.patch('agents', backend.engineer, {
      openclawConfig: { ...found(openclawConfig), skillIds },
    });
  });
  const profiles = await backend.t.action(service.listAgentsForRuntime, backend.auth);
  const engineer = found(profiles.find(({ slug }) => slug === 'engineer'));
  expect(engineer.resolvedSkills.map(({ slug }) => slug)).toEqual(['b', 'a']);
  expect(engineer.effectiveSoulContent).toContain('Engineer');
});

test('a profile that a person sets is the one that the runtime reads, skills disabled and taken away', async () => {
  const backend = await createBackend();
  const set = (profile: object) =>
    backend.t.action(api.demo.actions.setProfile, { ...backend.person, slug: 'engineer', ...profile });
  const read = async () =>
    (await backend.t.action(service.listAgentsForRuntime, backend.auth)).find(
      ({ slug }) => slug === 'engineer',
    );
  const [review, qa] = ['review', 'qa'].map((slug) => ({ slug, contentMarkdown: `# ${slug}` }));
  await set({ soulContent: 'calm', model: 'claude', skills: [review, qa] });
  expect(await read()).toMatchObject({
    effectiveSoulContent: 'calm',
    openclawConfig: { model: 'claude' },
    resolvedSkills: [review, qa],
  });
  await set({
    skills: [
      { ...review, contentMarkdown: 'new' },
      { ...qa, isEnabled: false },
    ],
  });
  expect((await read())?.resolvedSkills).toMatchObject([{ slug: 'review', contentMarkdown: 'new' }]);
  expect((await read())?.effectiveSoulContent).toBe('calm');
  await set({ skills: [] });
  expect((await read())?.resolvedSkills).toEqual([]);
  await expect(set({ slug: 'nobody' })).rejects.toThrow("no agent with the slug 'nobody'");
});

test('a heartbeat sets the agent’s state, and is logged when the status changes', async () => {
  const backend = await createBackend();
  const beat = { ...backend.auth, agentId: backend.engineer, status: 'online' } as const;
  const agent = () => backend.t.run((ctx) => ctx.db.get('agents', backend.engineer));
  const { success, timestamp } = await backend.t.action(service.updateAgentHeartbeat, {
    ...beat,
    currentTaskId: backend.bug,
  });
  expect(success).toBe(true);
  expect(await agent()).toMatchObject({
    status: 'online',
    currentTaskId: backend.bug,
    lastHeartbeat: timestamp,
  });
  await backend.t.action(service.updateAgentHeartbeat, beat);
  expect(await agent()).not.toHaveProperty('currentTaskId');
  const log = await backend.t.run((ctx) => ctx.db.query('activities').take(100));
  expect(log.filter(({ type }) => type === 'agent_status_changed')).toHaveLength(1);
});

test('an agent’s tasks: its own, done ones only when asked for, the last touched first', async () => {
  const backend = await createBackend();
  const assignedAgentIds = [backend.engineer];
  await backend.patchTask(backend.notes, { assignedAgentIds, status: 'done', updatedAt: 2 });
  await backend.patchTask(backend.bug, { updatedAt: 1 });
  const list = async (options: { includeDone?: boolean; limit?: number }) =>
    (
      await backend.t.action(service.listAssignedTasksForAgent, {
        ...backend.auth,
        agentId: backend.engineer,
        ...options,
      })
    ).map(({ _id }) => _id);
  expect(await list({})).toEqual([backend.bug]);
  expect(await list({ includeDone: true })).toEqual([backend.notes, backend.bug]);
  expect(await list({ includeDone: true, limit: 1 })).toEqual([backend.notes]);
});

test('the orchestrator’s tasks by status', async () => {
  const backend = await createBackend();
  await backend.patchTask(backend.notes, { updatedAt: 1 });
  const list = async (statuses: ('inbox' | 'in_progress')[]) =>
    (await backend.t.action(service.listTasksForOrchestratorHeartbeat, { ...backend.auth, statuses })).map(
      ({ _id }) => _id,
    );
  expect(await list([])).toEqual([]);
  const all = await list(['inbox', 'in_progress']);
  expect(all).toHaveLength(4);
  expect(all.at(-1)).toBe(backend.notes);
});

test('the orchestrator is known', async () => {
  const backend = await createBackend();
  expect(await backend.t.action(service.getOrchestratorAgentId, backend.auth)).toEqual({
    orchestratorAgentId: backend.lead,
  });
});

test('a new agent joins the roster; its slug must be free and plain', async () => {
  const backend = await createBackend();
  const agent = { ...backend.person, slug: 'writer', name: 'Writer', role: 'Writer' };
  await backend.t.action(api.demo.actions.addAgent, agent);
  const roster = await backend.t.action(service.listAgents, backend.auth);
  expect(roster.map(({ slug }) => slug)).toContain('writer');
  await expect(backend.t.action(api.demo.actions.addAgent, agent)).rejects.toThrow('exists already');
  await expect(backend.t.action(api.demo.actions.addAgent, { ...agent, slug: 'A b' })).rejects.toThrow(
    'Invalid slug',
  );
});

test('refuses an agent of nobody and of another account', async () => {
  const backend = await createBackend();
  const beat = { ...backend.auth, agentId: backend.qa, status: 'idle' } as const;
  const accountId = await backend.addAccount();
  await backend.t.run(async (ctx) => {
    await ctx.db.patch('agents', backend.qa, { accountId });
    await ctx.db.delete('agents', backend.engineer);
  });
  await expect(backend.t.action(service.updateAgentHeartbeat, beat)).rejects.toMatchObject(
    carrying('FORBIDDEN', 'Forbidden: Agent belongs to different account'),
  );
  await expect(
    backend.t.action(service.updateAgentHeartbeat, { ...beat, agentId: backend.engineer }),
  ).rejects.toMatchObject(carrying('NOT_FOUND', 'Not found: Agent does not exist'));
});
