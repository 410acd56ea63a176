import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { DeliveryContext } from '../../machines/shared/mission-control.ts';
import type { ToolSchema } from '../../machines/shared/tools.ts';
import { actingAgent } from '../../test/kits/samples/acting.ts';
import { toolsFor } from '../tools/offer.ts';
import { createGateway } from './client.ts';
import { buildFollowUp, notificationLine } from './prompt-tools.ts';
import { buildPrompt } from './prompt.ts';
import { aRun, faultFrom, findRealGateway } from '../../test/kits/gateway-server.ts';

const real = await findRealGateway();

/** The gateway runs a mock model that echoes; its magic words are MOCK_TEXT, MOCK_DELAY and so on. */
const contextSaying = (content: string): DeliveryContext => ({
  notification: {
    _id: randomUUID(),
    type: 'mention',
    recipientType: 'agent',
    recipientId: 'a1',
    taskId: 't1',
    messageId: 'm1',
    title: 'Ada mentioned you',
    body: '',
    createdAt: 1,
  },
  agent: { _id: 'a1', name: 'Engineer', slug: 'engineer', role: 'Engineer' },
  task: null,
  message: { _id: 'm1', authorType: 'user', authorId: 'u1', content, createdAt: 1 },
  thread: [],
  sourceNotificationType: null,
  orchestratorAgentId: null,
  primaryUserMention: null,
  mentionableAgents: [],
  assignedAgents: [],
  effectiveBehaviorFlags: {
    canCreateTasks: false,
    canModifyTaskStatus: true,
    canCreateDocuments: true,
    canMentionAgents: true,
    canReviewTasks: false,
    canMarkDone: false,
  },
  repositoryDoc: null,
  globalBriefingDoc: null,
  taskOverview: null,
});

if ('missing' in real) {
  it.skip(`the real gateway (skipped: ${real.missing})`, () => undefined);
} else {
  const { url, token } = real;
  const gateway = createGateway({ url, token, requestTimeoutMs: 20_000 });
  // A session of its own for every test: the gateway keeps what was said.
  const session = (): string => `task:${randomUUID()}:agent:engineer:acc1:v1`;

  describe('the real gateway', () => {
    it('tells its version and its agents', async () => {
      const { version, agents } = await gateway.probe(true);
      expect(version).toBe('2026.9.6');
      expect(agents).toEqual(expect.arrayContaining(['squad-lead', 'engineer']));
    });

    it('answers what our prompt asks', async () => {
      const context = contextSaying('How are you? é😀');
      const reply = await gateway.respond(aRun({ sessionKey: session(), ...buildPrompt(context) }));
      expect(reply.toolCalls).toBe(0);
      expect(reply.text).toContain('| How are you? é😀');
      expect(reply.text).toContain(`Notification ID: ${context.notification._id}`);
    });

    it('gives HEARTBEAT_OK as it is', async () => {
      const prompt = buildPrompt(contextSaying('MOCK_TEXT:HEARTBEAT_OK'));
      const reply = await gateway.respond(aRun({ sessionKey: session(), ...prompt }));
      expect(reply).toMatchObject({ text: 'HEARTBEAT_OK', calls: [] });
    });

    it('reads our instructions', async () => {
      const reply = await gateway.respond(
        aRun({ sessionKey: session(), instructions: 'The word is xyzzy42.', input: 'MOCK_SYSHAS:xyzzy42' }),
      );
      expect(reply.text).toBe('syshas xyzzy42: true');
    });

    it('hands us parallel calls of our tools', async () => {
      const sessionKey = session();
      const tools: ToolSchema[] = [
        {
          type: 'function',
          name: 'task_status',
          description: 'Sets the status of a task.',
          parameters: { type: 'object', properties: { status: { type: 'string' } } },
        },
      ];
      const first = await gateway.respond(
        aRun({ sessionKey, input: 'MOCK_TOOL2:task_status {"status":"done"}', tools }),
      );
      expect(first.usage).toMatchObject({ inputTokens: 11, outputTokens: 7 });
      expect(first.calls).toMatchObject([
        { name: 'task_status', arguments: '{"status":"done"}' },
        { name: 'task_status', arguments: '{"status":"done"}' },
      ]);
    });

    it('takes all our tools, and the answers to calls as one message', async () => {
      const sessionKey = session();
      const everything = actingAgent({ isOrchestrator: true, flags: { canCreateTasks: true } });
      const tools = toolsFor(everything, 'on');
      const prompt = buildPrompt(contextSaying('MOCK_TOOL:task_status {"status":"review"}'), { tools });
      const first = await gateway.respond(aRun({ sessionKey, ...prompt, tools }));
      expect(first.calls).toMatchObject([{ name: 'task_status', arguments: '{"status":"review"}' }]);
      const output = '{"tool":"task_status","ok":true,"data":{"status":"review"}}';
      const results = [{ name: 'task_status', output }];
      const input = buildFollowUp({ results, more: true, repeat: false, lastLine: notificationLine('n1') });
      const { instructions } = prompt;
      const second = await gateway.respond(aRun({ sessionKey, instructions, input, tools }));
      expect(second.calls).toEqual([]);
      expect(second.text).toContain(`1. task_status\n${output}`);
      expect(second.text).toContain('Notification ID: n1');
    });

    it('does not know every agent', async () => {
      expect((await faultFrom(gateway.respond(aRun({ agentSlug: 'nosuch' })))).kind).toBe('agentUnknown');
    });

    it('refuses a wrong token', async () => {
      const stranger = createGateway({ url, token: 'not-the-token', requestTimeoutMs: 5000 });
      expect((await faultFrom(stranger.probe(true))).kind).toBe('gatewayRefused');
      expect((await faultFrom(stranger.respond(aRun()))).kind).toBe('gatewayRefused');
    });

    it('takes a new run for a session at once after one was given up', async () => {
      const sessionKey = session();
      const hasty = createGateway({ url, token, requestTimeoutMs: 500 });
      // The gateway puts the words of a run that was given up before the next ones: the delay acts twice.
      const input = 'MOCK_DELAY:1200';
      expect((await faultFrom(hasty.respond(aRun({ sessionKey, input })))).kind).toBe('runTimedOut');
      const reply = await gateway.respond(aRun({ sessionKey, input: 'MOCK_TEXT:free again' }));
      expect(reply.text).toBe('free again');
    });
  });
}
