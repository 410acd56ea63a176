/** `npm run record`: writes what the inspector shows to a file that its page can play. */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { followStream } from '../inspector/follow.ts';
import { entriesToGiveAway, pictureToGiveAway } from '../inspector/give-away.ts';
import type { Entry, RecordingHead } from '../inspector/wire.ts';
import { DEV_DIRECTORY, readSession } from '../local/session.ts';

const USAGE = `npm run record -- [--seconds <n>] [--out <file>] [--url <address of the inspector>]

Keeps what the inspector shows for a while: ids, states, tags, names of events, times and counters, and never a message,
a prompt or a token. Open the file on the inspector's page to play it; add it to a bug report.

  --seconds   how long (60); Ctrl-C ends it earlier, and the file is good
  --out       the file to write, JSON lines; it must not exist (.runtime/recording-<time>.jsonl)
  --url       of the inspector (the one of npm run dev, else http://127.0.0.1:9230)`;

const DEFAULT_URL = 'http://127.0.0.1:9230/';
/** The longest recording, in seconds: a day. */
const LONGEST_S = 86_400;
const RETRY_MS = 500;

interface Options {
  seconds: number;
  out: string;
  url: string;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      out: { type: 'string' },
      url: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) return tell(USAGE, 0);
  const seconds = Number(values.seconds);
  if (!(seconds > 0 && seconds <= LONGEST_S)) {
    return tell(`--seconds is not a number from 1 to ${LONGEST_S}: give one such as 60.`, 1);
  }
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  const out = values.out ?? join(DEV_DIRECTORY, `recording-${stamp}.jsonl`);
  return record({ seconds, out, url: values.url ?? readSession()?.inspectorUrl ?? DEFAULT_URL });
}

async function record({ seconds, out, url }: Options): Promise<number> {
  const file = createFile(out);
  const over = new AbortController();
  const end = (): void => over.abort();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  const timer = setTimeout(end, seconds * 1_000);
  const stream = followStream(new URL('events', url).href, {
    onHello({ picture }) {
      // The runtime was restarted, or the break was too long. A recording holds one stream, so it ends here.
      if (file.lines() > 0) {
        end();
        return;
      }
      file.add([{ recording: 1, picture: pictureToGiveAway(picture) }]);
      tell(`Recording ${url} for ${seconds} s. Ctrl-C ends it earlier.`, 0);
    },
    onEntries(entries) {
      file.add(entriesToGiveAway(entries));
      if (entries.some(({ kind }) => kind === 'left')) end();
    },
  });
  while (!over.signal.aborted) {
    const problem = await stream.read(over.signal).then(() => null, messageOf);
    if (file.lines() === 0 && problem !== null) {
      file.discard();
      return tell(nothingThere(url, problem), 1);
    }
    await delay(RETRY_MS, undefined, { signal: over.signal }).catch(() => undefined);
  }
  clearTimeout(timer);
  file.close();
  return tell(`${file.lines() - 1} entries in ${out}: open it on the inspector's page.`, 0);
}

/** A file that only its owner can read. @throws Error when it is there already, or cannot be made */
function createFile(path: string) {
  mkdirSync(dirname(path), { recursive: true });
  const descriptor = openSync(path, 'wx', 0o600);
  let lines = 0;
  const close = (): void => closeSync(descriptor);
  return {
    add(values: readonly (RecordingHead | Entry)[]): void {
      for (const value of values) writeSync(descriptor, `${JSON.stringify(value)}\n`);
      lines += values.length;
    },
    lines: () => lines,
    close,
    discard(): void {
      close();
      rmSync(path);
    },
  };
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isTaken = 'code' in error && error.code === 'EEXIST';
  return isTaken ? 'That file exists already: name another one with --out.' : error.message;
}

function nothingThere(url: string, problem: string): string {
  return `No inspector answers on ${url} (${problem}): start one with npm run dev, or a runtime with INSPECTOR=on, or give --url.`;
}

function tell(message: string, exitCode: number): number {
  (exitCode === 0 ? process.stdout : process.stderr).write(`${message}\n`);
  return exitCode;
}

process.exitCode = await main().catch((error: unknown) => tell(messageOf(error), 1));
