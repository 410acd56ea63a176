import { describe, expect, it } from 'vitest';
import { quote } from '../../gateway/text.ts';
import { notificationIdOf } from './prompt.ts';
import { planReply } from './reply.ts';

const prompt = (older: string, newest: string, last = 'Notification ID: n1'): string =>
  `## Thread\n${quote(older)}\n\n## Message to answer\n${quote(newest)}\n\n${last}`;

describe('planReply', () => {
  it('echoes the last line of the newest message', () => {
    expect(planReply('qa', prompt('old', 'one\ntwo\n')).text).toBe('echo from qa: two');
  });

  it('echoes a bare text', () => {
    expect(planReply('qa', 'hello').text).toBe('echo from qa: hello');
  });

  it('wakes nobody: an echo mentions no one', () => {
    expect(planReply('qa', prompt('', '@engineer and @"Ada": hi')).text).toBe(
      'echo from qa: engineer and "Ada": hi',
    );
  });

  it.each([
    ['ECHO_TEXT:a @b c', { outcome: 'reply', text: 'a @b c', delayMs: 0 }],
    ['please ECHO_DELAY:250', { outcome: 'reply', delayMs: 250 }],
    ['ECHO_EMPTY', { outcome: 'reply', text: '' }],
    ['ECHO_SLOW_BODY', { outcome: 'reply', gapMs: 20 }],
    ['ECHO_500', { outcome: 'fail' }],
    ['ECHO_503', { outcome: 'unavailable' }],
    ['ECHO_HANG', { outcome: 'hang' }],
    ['ECHO_RESET', { outcome: 'reset' }],
    ['ECHO_5000', { outcome: 'reply' }],
  ])('%s', (message, plan) => {
    expect(planReply('qa', prompt('', message))).toMatchObject(plan);
  });

  it('does not act on the words of an older message', () => {
    expect(planReply('qa', prompt('ECHO_500', 'fine'))).toMatchObject({
      outcome: 'reply',
      text: 'echo from qa: fine',
    });
  });

  it('has nothing to do at a heartbeat, unless it is told', () => {
    const beat = (text: string): string => planReply('qa', prompt('x', text, 'Heartbeat of @qa')).text;
    expect(beat('ECHO_TEXT:a')).toBe('HEARTBEAT_OK');
    expect(beat('ECHO_BEAT:look at this')).toBe('look at this');
  });
});

describe('notificationIdOf', () => {
  it('reads the last line', () => {
    expect(notificationIdOf(prompt('Notification ID: n0', 'x'))).toBe('n1');
  });

  it('does not read a quoted line', () => {
    expect(notificationIdOf(quote('Notification ID: n0'))).toBeNull();
  });
});
