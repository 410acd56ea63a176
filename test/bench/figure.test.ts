import { expect, it } from 'vitest';
import { figureLine, isMet, type Figure } from './figure.ts';

const figure: Figure = { name: 'backlog.200x20.seconds', value: 0.62, unit: 's' };

it('prints a figure alone', () => {
  expect(figureLine(figure).replace(/ +/g, ' ')).toBe('backlog.200x20.seconds 0.620 s');
});

it('prints what it is compared with, and whether the goal is met by the ratio', () => {
  const compared: Figure = { ...figure, limit: 0.5, ratio: 1.24, goal: { most: 1.3 } };
  expect(figureLine(compared)).toMatch(/ 0\.620 s \(limit 0\.500, ratio 1\.24, goal <= 1\.3: met\)$/);
  expect(figureLine({ ...compared, ratio: 1.4 })).toMatch(/goal <= 1\.3: MISSED\)$/);
});

it('judges the value where there is no ratio', () => {
  expect(isMet({ ...figure, goal: { most: 0.62 } })).toBe(true);
  expect(isMet({ ...figure, goal: { least: 0.63 } })).toBe(false);
});

it('stands in one column with its like', () => {
  const lines = [figure, { ...figure, name: 'start.ready', value: 1234.5 }].map(figureLine);
  expect(new Set(lines.map((line) => line.indexOf(' s')))).toHaveProperty('size', 1);
});
