import { execFileSync } from 'node:child_process';

/** Before all tests: without an engine they fail here, in words, and are not skipped. */
export default function setup(): void {
  for (const args of [['info'], ['compose', 'version']]) {
    try {
      execFileSync('docker', args, { stdio: 'ignore' });
    } catch {
      throw new Error(
        `npm run test:compose needs a Docker engine with Compose v2, and \`docker ${args.join(' ')}\` fails: start one.`,
      );
    }
  }
}
