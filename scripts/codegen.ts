/**
 * Writes convex/_generated without a deployment. The published `convex codegen` asks for a deployment, unless a flag
 * tells it to generate code as for Convex's own functions. That flag is unsupported, so the output is committed and a
 * test compares it.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cli = join(root, 'node_modules', 'convex', 'bin', 'main.js');

/**
 * @param project a folder with package.json, node_modules and convex/
 * @throws Error with the tool's own words when it fails
 */
export function generate(project: string): void {
  const run = spawnSync(process.execPath, [cli, 'codegen', '--system-udfs', '--typecheck', 'disable'], {
    cwd: project,
    // CI=1 keeps the tool from sending reports. It must not find a deployment of the caller's either.
    env: { ...process.env, CI: '1', CONVEX_DEPLOYMENT: undefined, CONVEX_DEPLOY_KEY: undefined },
    encoding: 'utf8',
  });
  if (run.status !== 0) {
    throw new Error(`convex codegen failed in ${project}:\n${run.stdout}${run.stderr}`);
  }
}

if (import.meta.main) generate(root);
