import { expect, test } from 'vitest';
import type { ToolAnswer } from '../../machines/shared/acting.ts';
import type { Log } from '../logging/log.ts';
import { createReportCall } from './report.ts';

function reported(outcome: ToolAnswer['outcome'], isDebug = false) {
  const lines: unknown[][] = [];
  const counted: unknown[][] = [];
  const at =
    (level: string) =>
    (event: string, _: string, fields?: object): unknown =>
      lines.push([level, event, fields]);
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), isDebug } as unknown as Log;
  const report = createReportCall(log, { toolCall: (...call) => counted.push(call) });
  const call = { callId: 'c', name: 'task_create', arguments: '{"title":"confidential"}' };
  const place = { agent: 'engineer', notification: 'n1', round: 2, ms: 250 };
  report(call, { output: '{"secret":1}', outcome }, place);
  return { lines, counted };
}

test('one line for a call, with what it was and how it ended, and none of its content', () => {
  const { lines, counted } = reported('ok');
  expect(lines).toEqual([
    [
      'info',
      'tool.called',
      { tool: 'task_create', outcome: 'ok', ms: 250, agent: 'engineer', notification: 'n1', round: 2 },
    ],
  ]);
  expect(counted).toEqual([['task_create', 'ok', 0.25]]);
});

test('what a person should look at is a warning', () => {
  expect(reported('outcome_unknown').lines[0]?.[0]).toBe('warn');
  expect(reported('limit').lines[0]?.[0]).toBe('warn');
  expect(reported('conflict').lines[0]?.[0]).toBe('info');
});

test('arguments are for debug alone', () => {
  expect(JSON.stringify(reported('ok').lines)).not.toContain('confidential');
  expect(JSON.stringify(reported('ok', true).lines)).toContain('confidential');
  expect(JSON.stringify(reported('ok', true).lines)).not.toContain('secret');
});
