/** Takes pictures of the drawings with a Chromium of this machine, so that they can be looked at. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CHROMIUM_FLAGS, chromiumPath } from '../chromium.ts';

const run = promisify(execFile);

export interface Shot {
  svg: string;
  png: string;
  width: number;
  height: number;
  scheme: 'light' | 'dark';
}

/** @throws Error when this machine has no Chromium, or it fails */
export async function takeShots(shots: readonly Shot[], folder: string): Promise<void> {
  const chromium = chromiumPath();
  if (chromium === null || !existsSync(chromium)) {
    const what = chromium === null ? 'No Chromium is installed' : `There is no Chromium at ${chromium}`;
    throw new Error(`${what}: install one, or set CHROMIUM_PATH to the path of one, and run this again.`);
  }
  mkdirSync(folder, { recursive: true });
  for (const { svg, png, width, height, scheme } of shots) {
    const profile = mkdtempSync(join(tmpdir(), 'diagrams-'));
    try {
      await run(chromium, [
        ...CHROMIUM_FLAGS,
        '--headless',
        '--hide-scrollbars',
        `--user-data-dir=${profile}`,
        `--window-size=${width},${height}`,
        `--blink-settings=preferredColorScheme=${scheme === 'dark' ? 0 : 1}`,
        `--default-background-color=${scheme === 'dark' ? '0d1117ff' : 'ffffffff'}`,
        `--screenshot=${png}`,
        `file://${svg}`,
      ]);
    } finally {
      rmSync(profile, { recursive: true, force: true });
    }
  }
}
