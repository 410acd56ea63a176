import { describe, expect, test } from 'vitest';
import { ownWords, statusToGiveAway, statusView } from './status.ts';

describe('a reason in our own words', () => {
  test.each([
    [
      'The gateway does not answer at http://127.0.0.1:1 (ECONNREFUSED): start it, or correct OPENCLAW_GATEWAY_URL.',
      null,
    ],
    ['All is well.', null],
    ['stopped by SIGTERM', null],
    [
      'The gateway at x refuses our token (HTTP 401, "their. words"): check OPENCLAW_GATEWAY_TOKEN.',
      'The gateway at x refuses our token (HTTP 401, …): check OPENCLAW_GATEWAY_TOKEN.',
    ],
    ['The list cannot be read. f failed in Convex: secret words.', 'The list cannot be read.'],
    [
      'Runs fail one after another: check the gateway. The run failed: "prompt".',
      'Runs fail one after another: check the gateway.',
    ],
    ['uncaughtException: secret words', 'uncaughtException'],
    ['gateway crashed and is being started again. secret words', 'gateway crashed'],
    ['said "a quote without an end', 'said …'],
    ['said "an \\" escaped quote" and more', 'said … and more'],
  ])('%s', (reason, told) => {
    expect(ownWords(reason)).toBe(told ?? reason);
  });
});

test('every problem is told whole, and given away in our own words alone', () => {
  const problem = (text: string) => ({
    source: 's',
    problem: text,
    since: '1970-01-01T00:00:01.000Z',
    nextTryAt: null,
  });
  const problems = [problem('One is away. They said so.'), problem('Two is away (HTTP 500, "why").')];
  const delivery = { delivered: 1, failed: 2, parked: 3, inFlight: 4, queued: 5 };
  const report = {
    status: 'degraded' as const,
    reason: problems.map((one) => one.problem).join(' '),
    problems,
    runs: [{ id: 'notification:a/1', since: null, lastSignAt: '1970-01-01T00:00:03.500Z', until: null }],
  };
  // The rest of the report does not count.
  const view = statusView({ ...report, delivery } as unknown as Parameters<typeof statusView>[0]);
  const told = (text: string) => ({ source: 's', problem: text, since: 1_000, nextTryAt: null });
  expect(view).toEqual({
    status: 'degraded',
    reason: 'One is away. They said so. Two is away (HTTP 500, "why").',
    problems: [told('One is away. They said so.'), told('Two is away (HTTP 500, "why").')],
    ...delivery,
    // A run that writes all the time is told every two seconds.
    runs: [{ id: 'notification:a/1', since: null, lastSignAt: 2_000, until: null }],
  });
  expect(statusToGiveAway(view)).toEqual({
    ...view,
    reason: 'One is away. Two is away (HTTP 500, …).',
    problems: [told('One is away.'), told('Two is away (HTTP 500, …).')],
  });
});
