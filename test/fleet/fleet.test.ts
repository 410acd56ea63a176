import { expect, test } from 'vitest';
import { usageOf } from '../bench/usage.ts';
import { manyAccounts, type Account } from '../kits/accounts.ts';
import { startRuntime, type RuntimeProcess } from '../kits/runtime.ts';
import { echoGateway } from '../kits/stack.ts';
import { until } from '../kits/until.ts';
import { ACCOUNTS, MEASURES } from './size.ts';

/** As an operator has it: the kit's own waits are shorter, and would make an idle runtime look busy. */
const AS_BY_DEFAULT = { DELIVERY_INTERVAL: '15s', HEALTH_CHECK_INTERVAL: '30s' };
const IDLE_MS = 10_000;

test(`${ACCOUNTS} accounts are upgraded one after another while messages come in, and none loses one`, async () => {
  const accounts = await manyAccounts(ACCOUNTS);
  const gateway = await echoGateway();
  const start = (backend: Account, env: Record<string, string> = {}): Promise<RuntimeProcess> =>
    startRuntime({ backend, gateway, env: { ...AS_BY_DEFAULT, ...env } });

  const runtimes: RuntimeProcess[] = [];
  for (const account of accounts) runtimes.push(await start(account));
  for (const account of accounts) await ask(account, 'before');

  for (const [n, account] of accounts.entries()) {
    const old = runtimes[n];
    if (old === undefined) continue;
    await ask(account, 'during');
    old.kill('SIGTERM');
    expect(await old.exited).toEqual({ code: 0, signal: null });
    await ask(account, 'between');
    const next = await start(account, { STATE_DIR: old.stateDir, RUNTIME_VERSION: '99.0.0' });
    expect((await next.health()).versions.runtime).toBe('99.0.0');
    runtimes[n] = next;
  }

  for (const account of accounts) {
    await ask(account, 'after');
    await until(
      `Account ${account.accountId} has all answers`,
      async () => (await answers(account)).length === 4,
    );
    expect(await answers(account)).toEqual(
      ['before', 'during', 'between', 'after'].map((word) => `echo from engineer: engineer ${word}`),
    );
  }
  if (MEASURES) console.log(await whatAnAccountCosts(runtimes));
}, 600_000);

const ask = async (account: Account, word: string): Promise<void> => {
  await account.postMessage(account.taskIds[0] ?? '', `@engineer ${word}`);
};

const answers = async (account: Account): Promise<string[]> =>
  (await account.listThread(account.taskIds[0] ?? ''))
    .filter(({ authorType }) => authorType === 'agent')
    .map(({ content }) => content);

/** @returns one line: memory and CPU of a runtime without work, as the mean over all */
async function whatAnAccountCosts(runtimes: readonly RuntimeProcess[]): Promise<string> {
  const before = runtimes.map(({ pid }) => usageOf(pid));
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const after = runtimes.map(({ pid }) => usageOf(pid));
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const memory = mean(after.map(({ rssMb }) => rssMb));
  const cpu = mean(after.map(({ cpuMs }, n) => (cpuMs - (before[n]?.cpuMs ?? 0)) / IDLE_MS));
  return `${runtimes.length} accounts, each without work: ${memory.toFixed(0)} MB, ${(cpu * 100).toFixed(2)} % of a core`;
}
