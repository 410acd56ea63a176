import { expect, test } from 'vitest';
import { isExactlyOnce, killBehindEffects } from './tool-kills.ts';

test('check 6, kill after the effect: six kills leave exactly one task, document and message each', async () => {
  const report = await killBehindEffects({ kills: 6, seed: 7 });
  expect(isExactlyOnce(report) || report).toBe(true);
  expect(report.made).toMatchObject({
    task: { asked: 2, once: 2 },
    document: { asked: 2, once: 2 },
    message: { asked: 2, once: 2 },
  });
  expect(report.kills.beforeTheAnswer).toBeGreaterThan(0);
  expect(report.replies).toEqual({ right: 6, wrong: 0 });
}, 120_000);
