/** Kills the local Mission Control while it writes, again and again, and looks for what it had acknowledged. */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { createDemoClient } from '../../src/local/client.ts';
import { databaseIn } from '../../src/local/mission-control/data-dir.ts';
import { startBackend, type Backend } from '../../src/local/mission-control/spawn.ts';

export interface KillReport {
  kills: number;
  /** How many writes were acknowledged over all lives. */
  acknowledged: number;
  /** Acknowledged titles that are gone. */
  lost: string[];
  /** Titles that are there twice. */
  twice: string[];
}

interface Options {
  kills: number;
  dataDir: string;
  /** Told after each kill. */
  onKill?: (kills: number, acknowledged: number) => void;
}

const WRITERS = 4;
/** The longest life after the first acknowledged write, in milliseconds. */
const LONGEST_LIFE_MS = 60;

const TITLE = 'Killed while writing';

export async function killWhileWriting({ kills, dataDir, onKill }: Options): Promise<KillReport> {
  const acknowledged: string[] = [];
  for (let life = 0; life < kills; life++) {
    const backend = await startBackend({ dataDir });
    const writing = Array.from({ length: WRITERS }, (_, writer) =>
      writeUntilDead(backend, `${life}-${writer}`, acknowledged),
    );
    const before = acknowledged.length;
    while (acknowledged.length === before) await sleep(1);
    await sleep(Math.random() * LONGEST_LIFE_MS);
    process.kill(backend.pid, 'SIGKILL');
    await Promise.all(writing);
    await backend.close();
    onKill?.(life + 1, acknowledged.length);
  }
  const titles = titlesIn(dataDir);
  const found = new Set(titles);
  return {
    kills,
    acknowledged: acknowledged.length,
    lost: acknowledged.filter((title) => !found.has(title)),
    twice: [...Map.groupBy(titles, (title) => title)]
      .filter(([, all]) => all.length > 1)
      .map(([title]) => title),
  };
}

/** Creates tasks one after another. Each title is used once: a call whose answer is lost is not sent again. */
async function writeUntilDead(backend: Backend, name: string, acknowledged: string[]): Promise<void> {
  const person = createDemoClient({ ...backend, convexUrl: backend.url });
  for (let n = 0; ; n++) {
    const title = `${TITLE} ${name}-${n}`;
    try {
      await person.call('demo/actions:createTask', { title });
      acknowledged.push(title);
    } catch {
      // Killed: whether this one was kept does not matter.
      return;
    }
  }
}

/** Straight from the file, which must be whole. */
function titlesIn(dataDir: string): string[] {
  const database = new DatabaseSync(databaseIn(dataDir));
  try {
    v.parse(v.object({ integrity_check: v.literal('ok') }), database.prepare('PRAGMA integrity_check').get());
    return database
      .prepare("SELECT text ->> 'title' AS title FROM documents WHERE text ->> 'title' LIKE ?")
      .all(`${TITLE}%`)
      .map((row) => String(row['title']));
  } finally {
    database.close();
  }
}
