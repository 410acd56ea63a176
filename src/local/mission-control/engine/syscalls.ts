/**
 * The way from the functions of convex/ to their engine: the `convex` package calls `globalThis.Convex`. Which
 * function is calling is known by its async context, so several engines can be in one process.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** What one running function may call. Arguments and results are JSON texts. */
export interface Syscalls {
  syscall(operation: string, args: string): string;
  asyncSyscall(operation: string, args: string): Promise<string>;
}

const running = new AsyncLocalStorage<Syscalls>();
let installed = false;

/** Runs a function; what it calls goes to `calls`, also after it has waited. */
export function withSyscalls<T>(calls: Syscalls, work: () => T): T {
  if (!installed) install();
  return running.run(calls, work);
}

/** Work that must not count as the caller's. */
export const outside = <T>(work: () => T): T => running.exit(work);

const ours = {
  syscall: (operation: string, args: string) => current().syscall(operation, args),
  asyncSyscall: (operation: string, args: string) => current().asyncSyscall(operation, args),
  jsSyscall: (operation: string) => {
    throw new Error(`File storage (${operation}) is not there in the local Mission Control.`);
  },
};

function current(): Syscalls {
  const calls = running.getStore();
  if (!calls) throw new Error('No function is running here.');
  return calls;
}

/**
 * In tests convex-test runs in the same process and keeps its own calls in the same place. Each of the two gets the
 * calls of its own functions.
 */
function install(): void {
  installed = true;
  let others: unknown = Reflect.get(globalThis, 'Convex');
  Object.defineProperty(globalThis, 'Convex', {
    configurable: true,
    get: () => (running.getStore() ? ours : others),
    set: (value: unknown) => {
      others = value;
    },
  });
}
