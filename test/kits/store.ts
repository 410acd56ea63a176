import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { openStore, type Store, type StoreOptions } from '../../src/journal/store.ts';

/** A store in a directory, which waits for nobody. @returns the store and what the operator was told */
export function openTestStore(stateDir: string, options: Partial<StoreOptions> = {}) {
  const notices: { event: string; message: string }[] = [];
  const store: Store = openStore({
    stateDir,
    mode: 'required',
    lockWaitMs: 0,
    onNotice: (event, message) => notices.push({ event, message }),
    ...options,
  });
  return { store, notices };
}

/** Makes every write of the store in that directory fail, and work again: it renames the table. */
export function breakTable(stateDir: string): { mend: () => void } {
  const run = (sql: string): void => {
    const database = new DatabaseSync(join(stateDir, 'journal.sqlite'));
    database.exec(sql);
    database.close();
  };
  run('ALTER TABLE entry RENAME TO away');
  return { mend: () => run('ALTER TABLE away RENAME TO entry') };
}
