import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { code, table } from './table.ts';

const ROOT = join(import.meta.dirname, '../..');

/** What each npm script is for. */
const WHAT: Record<string, string> = {
  dev: 'a local Mission Control, an echo gateway and the runtime on this machine',
  say: 'posts to a task of the stack of `npm run dev` and prints the thread until the reply is there',
  threads: 'tasks, threads and agents of the local Mission Control: lists, follows, creates, assigns',
  local: 'backup, restore, export and reset of the data of the local Mission Control',
  status: 'what the machines of a running runtime are doing',
  why: 'the story of one notification: why it is not answered, and what happens next',
  record: 'keeps what the inspector shows as a file that its page can play',
  start: 'the built runtime, with its settings from the environment',
  build: 'builds `dist/`',
  prestart: 'builds `dist/` where there is none; `npm start` runs it by itself',
  check: 'format, types and lint',
  format: 'formats all files',
  lint: 'ESLint, and ShellCheck for the shell scripts',
  types: 'the TypeScript compiler, without output',
  test: 'check, build, and every test that needs nothing but Node',
  'test:browser': "the inspector's page in Chromium",
  'test:compose': 'the stack on a Docker engine',
  bench: 'what a delivery costs',
  faults: 'every fault that the runtime must bear, one after another',
  chaos: 'kills the runtime again and again, and looks for what was lost or doubled',
  kills: 'kills the local Mission Control while it writes, and looks for writes that were lost',
  'kill-tools': 'kills the runtime right after a tool had its effect, and counts what is there in the end',
  fleet: 'upgrades the runtimes of many accounts one after another, and says what an account costs',
  upgrade: 'moves the stack to new images, and back when they do not work',
  up: 'builds and starts the stack of this checkout, and says what to open',
  down: 'stops the stack; its data stays',
  logs: "follows the stack's logs",
  diagrams: 'draws the machines (docs/machines)',
  screenshots: "takes pictures of the inspector's first view (docs/inspector)",
  codegen: 'writes the types of `convex/`',
  replies: 'lists the replies that were paid for and could not be posted',
  reference: 'writes the generated parts of docs/reference',
};

/** Commands with a `--help` of their own: its heading, and how it is run. */
const WITH_HELP: [heading: string, file: string][] = [
  ['npm run dev', 'src/local/dev.ts'],
  ['npm run say', 'src/cli/say.ts'],
  ['npm run threads', 'src/cli/threads.ts'],
  ['npm run local', 'src/cli/local.ts'],
  ['npm run status', 'src/cli/status.ts'],
  ['npm run why', 'src/cli/why.ts'],
  ['npm run replies', 'src/cli/replies.ts'],
  ['npm run record', 'src/cli/record.ts'],
  ['npm run up, npm run down', 'scripts/stack.sh'],
  ['npm run upgrade', 'scripts/runtime-upgrade-local.sh'],
  ['npm run bench', 'test/bench/main.ts'],
  ['npm run faults', 'test/faults/main.ts'],
  ['npm run chaos', 'test/chaos/main.ts'],
  ['npm run kill-tools', 'test/chaos/kill-tools.ts'],
  ['npm run fleet', 'test/fleet/main.ts'],
];

const Manifest = v.object({ scripts: v.record(v.string(), v.string()) });

/** @throws Error when package.json and the list above name different scripts */
export function scriptsTable(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const scripts = Object.keys(v.parse(Manifest, manifest).scripts);
  const undescribed = scripts.filter((name) => WHAT[name] === undefined);
  const gone = Object.keys(WHAT).filter((name) => !scripts.includes(name));
  if (undescribed.length > 0 || gone.length > 0) {
    throw new Error(
      `scripts/reference/commands.ts: describe ${undescribed.join(', ') || 'nothing'}, remove ${gone.join(', ') || 'nothing'}.`,
    );
  }
  const commandOf = (name: string): string =>
    ['start', 'test'].includes(name) ? `npm ${name}` : `npm run ${name}`;
  const rows = Object.entries(WHAT).map(([name, what]) => [code(commandOf(name)), what]);
  return table([['command', 'what it does'], ...rows]);
}

/** Every `--help`, as the command prints it. */
export async function helpTexts(): Promise<string> {
  const texts = await Promise.all(WITH_HELP.map(([, file]) => helpOf(file)));
  return WITH_HELP.map(
    ([heading], index) => `### ${heading}\n\n\`\`\`text\n${texts[index] ?? ''}\n\`\`\``,
  ).join('\n\n');
}

async function helpOf(file: string): Promise<string> {
  const path = join(ROOT, file);
  const [command, ...args] = file.endsWith('.sh') ? [path] : [process.execPath, path];
  const { stdout } = await promisify(execFile)(command, [...args, '--help'], { cwd: ROOT });
  return stdout.trim();
}
