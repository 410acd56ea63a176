/**
 * The prompts as they go out, whole, in golden/: nobody changes a word of them unnoticed. After a change that is meant:
 * `npx vitest run src/gateway/prompt.golden.test.ts --update`, and read the difference.
 */
import { expect, test } from 'vitest';
import { actingInBeat, actingOn } from '../../machines/shared/acting.ts';
import { agentRow } from '../../test/kits/samples/agent-row.ts';
import { sampleBeat, sampleDelivery } from '../../test/kits/samples/prompts.ts';
import { toolsFor } from '../tools/offer.ts';
import type { Prompt } from './prompt-parts.ts';
import { buildFollowUp, notificationLine } from './prompt-tools.ts';
import { buildBeatPrompt } from './beat-prompt.ts';
import { buildPrompt } from './prompt.ts';

const golden = async (name: string, { instructions, input }: Prompt): Promise<void> => {
  await expect(`${instructions}\n\n=== input ===\n\n${input}\n`).toMatchFileSnapshot(`golden/${name}.txt`);
};

test('AGENT_TOOLS=off: as before there were tools, to the byte', async () => {
  await golden('off-mention', buildPrompt(sampleDelivery()));
  await golden('off-assignment', buildPrompt(sampleDelivery({ type: 'assignment' })));
  await golden('off-beat', buildBeatPrompt(sampleBeat()));
  await golden('off-beat-orchestrator', buildBeatPrompt(sampleBeat({ isOrchestrator: true, focus: null })));
});

test('with tools', async () => {
  const withTools = (part: Parameters<typeof sampleDelivery>[0], repeat = false): Prompt => {
    const delivery = sampleDelivery(part);
    const agent = actingOn(delivery);
    return buildPrompt(delivery, { tools: agent ? toolsFor(agent, 'on') : [], repeat });
  };
  await golden('on-mention', withTools({}));
  await golden('on-mention-again', withTools({}, true));
  await golden('on-passive-update', withTools({ type: 'thread_update', by: 'agent', assignedAgents: [] }));
  await golden('on-orchestrator', withTools({ type: 'status_change', orchestratorAgentId: 'a1' }));
  const beat = sampleBeat({ isOrchestrator: true, leftOut: 7 });
  const agent = agentRow('engineer');
  const acting = actingInBeat({ agent, isOrchestrator: true, focus: beat.focus, roster: [] });
  await golden('on-beat-orchestrator', buildBeatPrompt(beat, { tools: toolsFor(acting, 'on') }));
});

test('what follows calls', async () => {
  const results = [
    { name: 'task_status', output: '{"tool":"task_status","ok":true,"data":{"status":"review"}}' },
    { name: 'task_load', output: '{"tool":"task_load","ok":false,"error":{"code":"not_found"}}' },
  ];
  const lastLine = notificationLine('n1');
  const file = (name: string) => `golden/${name}.txt`;
  const usual = buildFollowUp({ results, more: true, repeat: false, lastLine });
  await expect(`${usual}\n`).toMatchFileSnapshot(file('follow-up'));
  const last = buildFollowUp({ results, more: false, repeat: true, lastLine });
  await expect(`${last}\n`).toMatchFileSnapshot(file('follow-up-last-again'));
});

test('off says nothing of a repeat', () => {
  const delivery = sampleDelivery();
  expect(buildPrompt(delivery, { tools: [], repeat: true })).toEqual(buildPrompt(delivery));
});
