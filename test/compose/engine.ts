import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';

const docker = (...args: string[]): string =>
  execFileSync('docker', args, { cwd: tmpdir(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

/** Before all tests: without an engine they fail here, in words, and are not skipped. */
export default function setup(): void {
  for (const args of [['info'], ['compose', 'version']]) {
    try {
      docker(...args);
    } catch {
      throw new Error(
        `npm run test:compose needs a Docker engine with Compose v2, and \`docker ${args.join(' ')}\` fails: start one.`,
      );
    }
  }
  removeLeftBehind();
}

/** Stacks of test runs that were killed: their containers start again with the engine. */
function removeLeftBehind(): void {
  const projects = docker('ps', '--all', '--format', '{{.Label "com.docker.compose.project"}}').split('\n');
  for (const project of new Set(projects)) {
    const [, pid] = /^(?:stack|upgrade)-test-(\d+)/.exec(project) ?? [];
    if (pid !== undefined && !isAlive(Number(pid)))
      docker('compose', '--project-name', project, 'down', '--timeout', '1');
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
