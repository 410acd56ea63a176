import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** The machine that measured, and its load before. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  node: string;
  /** The load of the last minute. Above the number of cores, other work disturbed the figures. */
  load: number;
  commit: string;
}

export const readMachine = (): Machine => ({
  cpu: (cpus()[0]?.model ?? 'unknown').trim(),
  cores: availableParallelism(),
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  load: Number((loadavg()[0] ?? 0).toFixed(2)),
  commit: readCommit(),
});

export const machineLine = ({ cpu, cores, memoryGb, node, load, commit }: Machine): string =>
  `# ${cpu}, ${cores} cores, ${memoryGb} GB, Node ${node}, load ${load}, commit ${commit}`;

function readCommit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, {
        cwd: import.meta.dirname,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return git('rev-parse', '--short', 'HEAD').trim() + (changed ? ' with changes' : '');
  } catch {
    return 'unknown';
  }
}
