import { parseArgs } from 'node:util';

export interface ChaosOptions {
  /** How many times the runtime is ended by SIGKILL. */
  kills: number;
  seed: number;
  sessions: number;
  /** Notifications that wait at any time. */
  backlog: number;
  /** The contract alone, or with what docs/contract-extensions.md adds. */
  backend: 'plain' | 'extended';
}

const DEFAULTS: ChaosOptions = { kills: 40, seed: 1, sessions: 20, backlog: 400, backend: 'plain' };

export const HELP = `npm run chaos -- [--kills N] [--seed N] [--sessions N] [--backlog N]
                     [--backend plain|extended]

Ends the built runtime by SIGKILL, again and again, while notifications flow, on one STATE_DIR. Then a last process
works the queue off, and what happened is checked against the gateway's list of runs, the backend's rows and the
journal as each process left it.

  --kills N     how many SIGKILLs (default ${DEFAULTS.kills}): a quarter during the start, half at work, the rest in a drain. In
                between some processes leave by two SIGTERMs.
  --seed N      draws instants, faults and messages (default ${DEFAULTS.seed}). What the processes do meanwhile is not repeatable.
  --sessions N  tasks, each with its agent (default ${DEFAULTS.sessions})
  --backlog N   notifications that wait at any time (default ${DEFAULTS.backlog})
  --backend KIND  plain: the service contract alone (default); extended: with docs/contract-extensions.md

Some runs fail (4 in 100: failed, HTTP 500, reset) or are turned away (5 in 1,000); some calls of the backend are late, fail
or lose their answer (1 in 100), and some posts arrive 1.5 s late (2 in 100).

Must be 0, or the exit code is 1:
  lost                        never delivered, or delivered without a run that answered its last message
  duplicate replies           more than one reply to the same message of the same notification
  order inversions            first runs of a session out of the order of the queue
  overlapping requests        of one session and one process
  replies lost or run again   a reply that was in the journal and was not posted, or whose agent was asked again first
  attempts forgotten          the journal counts fewer runs than the gateway saw
  unexplained repeats         a second run with no cause that the list below knows
  notes before their time     a notification given up without five attempts that brought no reply
  rows left in the journal    what the last process had not forgotten when all was done
  bad exits                   a process that left without being asked, or with the wrong exit code

A run is repeated when a kill cuts it. It is also repeated when the kill falls between the gateway's last byte and the
journal's commit: an instant of a few milliseconds that no client can close. Those are counted by themselves, with the
longest such instant; one over a second counts as a lost reply.
`;

/** @throws Error with one sentence about what is wrong; null when help is asked for */
export function readOptions(argv: string[]): ChaosOptions | null {
  const { values } = parseArgs({
    args: argv,
    options: {
      kills: { type: 'string' },
      seed: { type: 'string' },
      sessions: { type: 'string' },
      backlog: { type: 'string' },
      backend: { type: 'string', default: DEFAULTS.backend },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return null;
  const { backend } = values;
  if (backend !== 'plain' && backend !== 'extended') {
    throw new Error(`--backend ${backend} is neither plain nor extended.`);
  }
  return {
    kills: wholeNumber('--kills', values.kills, DEFAULTS.kills),
    seed: wholeNumber('--seed', values.seed, DEFAULTS.seed),
    sessions: wholeNumber('--sessions', values.sessions, DEFAULTS.sessions),
    backlog: wholeNumber('--backlog', values.backlog, DEFAULTS.backlog),
    backend,
  };
}

function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${name} ${text} is not a whole number above 0.`);
  return value;
}
