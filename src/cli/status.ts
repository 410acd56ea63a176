/** `npm run status`: what the machines of a runtime are doing, as a tree in the terminal. */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, styleText } from 'node:util';
import { readSession } from '../local/session.ts';
import { addressesOf } from './addresses.ts';
import { look, type Answer } from './status/look.ts';
import { statusLines, type Colour } from './status/tree.ts';

const USAGE = `npm run status [-- --watch] [-- --url <address>] [-- --json]

Prints the state of every machine of a running runtime, as its /health tells it. Without --url it looks at the stack of
npm run dev, then at http://127.0.0.1:$HEALTH_PORT (3000).

  --watch   look again every second, until Ctrl-C
  --url     the address of the runtime's health port, such as http://127.0.0.1:3000
  --json    print the report as it came; with --watch one line for each look

Exits with 0 when the runtime answered, 1 when it did not. NO_COLOR switches colours off, FORCE_COLOR on.`;

const LOOK_EVERY_MS = 1_000;
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
/** A line that is too long is cut, because a second line would push the others down. */
const [CUT_LINES, WRAP_LINES] = ['\u001b[?7l', '\u001b[?7h'];

interface Options {
  urls: string[];
  watch: boolean;
  json: boolean;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      watch: { type: 'boolean', short: 'w', default: false },
      url: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return print(`${USAGE}\n`);
  const options = {
    urls: addressesOf(values.url, readSession()?.healthUrl),
    watch: values.watch,
    json: values.json,
  };
  return options.watch ? watch(options) : once(options);
}

async function once({ urls, json }: Options): Promise<number> {
  const answer = await look(urls);
  if (answer.kind === 'report') return print(`${shown(answer, json).join('\n')}\n`);
  process.stderr.write(`${answer.problem}\n`);
  return 1;
}

/** On a terminal each report replaces the one before. In a file or pipe they follow each other. */
async function watch({ urls, json }: Options): Promise<number> {
  const replace = process.stdout.isTTY && !json;
  if (replace) print(HOME + CLEAR_BELOW);
  for (;;) {
    const answer = await look(urls);
    const lines = answer.kind === 'report' ? shown(answer, json) : [answer.problem];
    if (replace) print(frame(lines, process.stdout.rows));
    else if (answer.kind === 'report') print(`${lines.join('\n')}\n${json ? '' : '\n'}`);
    else process.stderr.write(`${answer.problem}\n`);
    await delay(LOOK_EVERY_MS);
  }
}

function shown(answer: Extract<Answer, { kind: 'report' }>, json: boolean): string[] {
  if (json) return [answer.json];
  return statusLines(answer.report, { now: Date.now(), url: answer.url, paint });
}

/** A whole screen, written over the one before. Lines that do not fit are counted. */
function frame(lines: readonly string[], rows: number): string {
  const fitting =
    lines.length < rows ? lines : [...lines.slice(0, rows - 2), `… ${lines.length - rows + 2} more lines`];
  const text = fitting.map((line) => `${line}${CLEAR_LINE}\n`).join('');
  return HOME + CUT_LINES + text + WRAP_LINES + CLEAR_BELOW;
}

const paint = (colour: Colour, text: string): string => styleText(colour, text, { stream: process.stdout });

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
