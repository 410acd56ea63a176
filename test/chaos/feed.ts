import type { ContractBackend } from '../kits/contract-backend/spawn.ts';
import type { Random } from '../kits/random.ts';
import type { Run } from './evidence.ts';

export interface Feed {
  slugs: readonly string[];
  /** Writes as many messages as are missing to a full queue. */
  refill(): Promise<void>;
  /** Sometimes writes into the thread that the run answers, so that its row moves while it is under way. */
  interrupt: (run: Run) => void;
  /** Settles when everything is written. */
  settle(): Promise<void>;
}

const AGENTS = 5;
/**
 * Three of five tasks have talk: their messages mention nobody, so they coalesce into one row per task. The other tasks
 * have long queues of older rows, and must leave some of the runtime's ten slots free.
 */
const isTalk = (task: number): boolean => task % 5 >= 2;
/** The share of messages with a mention in the other tasks. The rest goes into one row, which moves back each time. */
const MENTIONS = 0.9;
const INTERRUPTED = 0.3;

/** One agent per task; each task is a session. */
export async function createFeed(
  backend: ContractBackend,
  random: Random,
  options: { sessions: number; backlog: number },
): Promise<Feed> {
  const slugs = Array.from({ length: AGENTS }, (_, n) => `worker-${n + 1}`);
  await backend.addAgents(slugs.map((slug) => ({ slug })));
  const taskIds = await backend.createTasks({ count: options.sessions, assignees: slugs, inTurn: true });
  const writing = new Set<Promise<unknown>>();
  let written = 0;

  const write = (taskId: string, mention = ''): Promise<unknown> => {
    written += 1;
    const post = backend.post({ taskIds: [taskId], content: `${mention}m${written}` });
    writing.add(post);
    return post.finally(() => writing.delete(post));
  };
  const writeSomewhere = (): Promise<unknown> => {
    const at = Math.floor(random() * taskIds.length);
    const mentions = !isTalk(at) && random() < MENTIONS;
    return write(taskIds[at] ?? '', mentions ? `@${slugs[at % AGENTS]} ` : '');
  };

  return {
    slugs,
    async refill() {
      const waiting = await backend.countUndelivered();
      for (let n = waiting; n < options.backlog; n++) await writeSomewhere();
    },
    interrupt({ kind, session }) {
      if (kind !== 'thread_update' || random() >= INTERRUPTED) return;
      const taskId = /:task:(\w+):/.exec(session)?.[1];
      if (taskId !== undefined) void write(taskId);
    },
    settle: async () => {
      await Promise.all(writing);
    },
  };
}
