import type { NotificationJournal } from './notifications.ts';

/** In milliseconds. */
const WITHIN_MS = 50;
const AT_MOST = 16;

export interface ForgettingJournal extends NotificationJournal {
  /** Forgets at once what is to be forgotten. */
  settle(): void;
}

/**
 * Forgets rows a few at a time: nobody waits for it, and one transaction for each costs as much as everything else that
 * is written for a delivery. A process that dies meanwhile leaves these rows to the next one, which looks at them once.
 *
 * @param together makes several writes one
 */
export function forgetTogether(
  journal: NotificationJournal,
  together: (work: () => void) => void,
): ForgettingJournal {
  const due = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let failed = false;

  function settle(): void {
    clearTimeout(timer);
    timer = undefined;
    failed = false;
    if (due.size === 0) return;
    together(() => {
      for (const id of due) journal.forget(id);
    });
    due.clear();
  }

  function settleLater(): void {
    try {
      settle();
    } catch {
      // Still due: the next one tries at once, and is told.
      failed = true;
    }
  }

  /** What is written anew for a row that is due has nothing to do with what was known of it. */
  function fresh<TArgs extends unknown[], T>(write: (id: string, ...args: TArgs) => T) {
    return (id: string, ...args: TArgs): T => {
      if (due.has(id)) settle();
      return write(id, ...args);
    };
  }

  return {
    read: (id) => (due.has(id) ? null : journal.read(id)),
    unfinished: () => journal.unfinished().filter((id) => !due.has(id)),
    beginAttempt: fresh(journal.beginAttempt),
    refundAttempt: fresh(journal.refundAttempt),
    saveReply: fresh(journal.saveReply),
    startOver: fresh(journal.startOver),
    beginPost: fresh(journal.beginPost),
    markPosted: fresh(journal.markPosted),
    markSettled: fresh(journal.markSettled),
    forget: (id) => {
      due.add(id);
      if (failed || due.size >= AT_MOST) settle();
      else timer ??= setTimeout(settleLater, WITHIN_MS).unref();
    },
    settle,
  };
}
