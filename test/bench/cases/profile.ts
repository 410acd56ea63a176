import { join } from 'node:path';
import { freePort } from '../../../src/local/free-port.ts';
import type { Benchmark } from '../benchmark.ts';
import { settingsFor } from '../compare.ts';
import { profileWhile, type Spent } from '../cpu-profile.ts';
import { untilConnected } from '../runtime.ts';
import { drain, onStage } from '../stage.ts';
import { spawnRuntime } from '../worker.ts';

const SESSIONS = 1_000;
const DELIVERIES = 5_000;
const TOP = 5;
const MAP = join(import.meta.dirname, '../../../dist/runtime.cjs.map');

/** The areas that the ceiling uses too: its clients and their packages. */
const CEILING = new Set([
  'convex',
  'undici',
  'valibot',
  'base64-js',
  'src/mission-control',
  'src/gateway',
  'node',
  'gc',
]);

export const profile: Benchmark = {
  name: 'profile',
  what: "where a delivery's CPU time goes (1,000 sessions): what is outside the ceiling's work, and the five largest parts of it",
  run: ({ figure }) =>
    onStage({ sessions: SESSIONS }, async (stage) => {
      const port = await freePort();
      const runtime = await spawnRuntime(stage, {
        ...settingsFor(SESSIONS),
        NODE_FLAGS: `--inspect=127.0.0.1:${port}`,
      });
      try {
        await untilConnected(runtime);
        // The first round is for the compiler.
        await drain(stage, runtime, SESSIONS);
        const spent = await profileWhile(port, MAP, () => drain(stage, runtime, DELIVERIES));
        const areas = sharesOf(spent);
        const outside = areas.filter(({ area }) => !CEILING.has(area));
        const percent = (name: string, share: number): void =>
          figure({ name: `profile.${name}`, value: share * 100, unit: '% of CPU time' });
        percent('outside_ceiling', sum(outside));
        for (const { area, share } of outside.slice(0, TOP)) percent(`outside.${area}`, share);
        percent('gc', sum(areas.filter(({ area }) => area === 'gc')));
        for (const { area, name, share } of spent.filter(({ area }) => !CEILING.has(area)).slice(0, TOP)) {
          percent(`function.${area}.${name}`, share);
        }
      } finally {
        await runtime.close();
      }
    }),
};

const sum = (parts: readonly { share: number }[]): number =>
  parts.reduce((total, { share }) => total + share, 0);

/** By area, the largest first. */
function sharesOf(spent: readonly Spent[]): { area: string; share: number }[] {
  const shares = new Map<string, number>();
  for (const { area, share } of spent) shares.set(area, (shares.get(area) ?? 0) + share);
  return [...shares].map(([area, share]) => ({ area, share })).sort((a, b) => b.share - a.share);
}
