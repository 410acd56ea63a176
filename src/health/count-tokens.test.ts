import { expect, test } from 'vitest';
import type { Gateway, Reply } from '../ports.ts';
import { countTokens } from './count-tokens.ts';

const request = {
  agentSlug: 'engineer',
  sessionKey: 'task:1',
  instructions: '',
  input: '',
  signal: AbortSignal.timeout(1_000),
};

const gatewayWith = (usage: Reply['usage']): Gateway => ({
  respond: () => Promise.resolve({ text: 'Done.', toolCalls: 0, calls: [], cut: null, usage }),
  probe: () => Promise.resolve({ version: null, agents: null }),
  close: () => Promise.resolve(),
});

test.each([
  [
    'what the gateway tells is counted for the agent',
    { inputTokens: 11, outputTokens: 7 },
    ['engineer task:1 11 7'],
  ],
  ['a gateway that tells nothing counts for nothing', null, []],
])('%s', async (_what, usage, counted) => {
  const seen: string[] = [];
  const gateway = countTokens(gatewayWith(usage), (agent, session, { inputTokens, outputTokens }) =>
    seen.push(`${agent} ${session} ${inputTokens} ${outputTokens}`),
  );
  expect(await gateway.respond(request)).toMatchObject({ text: 'Done.', usage });
  expect(seen).toEqual(counted);
});
