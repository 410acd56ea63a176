/** `npm run kills -- 1000`: kills the local Mission Control so often while it writes, and looks for what is lost. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killWhileWriting } from '../kits/kill-backend.ts';

const kills = Number(process.argv[2] ?? 1000);
if (!Number.isInteger(kills) || kills < 1) {
  process.stderr.write('How many kills? Say: npm run kills -- 1000\n');
  process.exit(2);
}
const dataDir = mkdtempSync(join(tmpdir(), 'kills-'));
try {
  const report = await killWhileWriting({
    kills,
    dataDir,
    onKill: (done, acknowledged) => {
      if (done % 50 === 0) process.stderr.write(`${done} kills, ${acknowledged} writes acknowledged\n`);
    },
  });
  const { acknowledged, lost, twice } = report;
  process.stdout.write(
    `${kills} kills, ${acknowledged} writes acknowledged, ${lost.length} lost, ${twice.length} done twice\n`,
  );
  process.exitCode = lost.length + twice.length > 0 ? 1 : 0;
} finally {
  rmSync(dataDir, { recursive: true });
}
