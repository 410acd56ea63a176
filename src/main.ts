import { Fault } from '../machines/shared/fault.ts';
import { EXIT } from '../machines/supervisor/context.ts';
import { createEntries } from './actors/entries.ts';
import { leftoverOf } from './actors/leftover.ts';
import { parseArgs } from './config/cli.ts';
import { loadConfig } from './config/config.ts';
import type { EffectiveSetting } from './config/effective.ts';
import type { Source } from './config/sources.ts';
import { ConfigError } from './config/errors.ts';
import { proxySecrets, shownProxy } from './config/proxy.ts';
import { openStore } from './journal/store.ts';
import { createLogger } from './logging/logger.ts';
import { createRedactor } from './logging/redact.ts';
import { traceSecrets } from './config/traces.ts';
import { startRuntime } from './runtime.ts';
import { listenToSignals } from './signals.ts';
import { assertAnswers } from './state-dir/probe.ts';
import { openTraces } from './traces/open.ts';

/** Runs the whole life of the process. @returns its exit code (docs/reference/exit-codes.md) */
async function main(): Promise<number> {
  const command = parseArgs(process.argv.slice(2));
  if (command.kind === 'usage') return refuse(command.message);
  if (command.kind !== 'run') {
    process.stdout.write(`${command.text}\n`);
    return EXIT.stopped;
  }
  const { config, effective, advice } = loadConfig(process.env);
  const redact = createRedactor([
    config.serviceToken,
    config.gateway?.token ?? '',
    ...proxySecrets(config.proxies),
    ...traceSecrets(config.traces),
  ]);
  const log = createLogger({
    ...config.log,
    redact,
    service: { name: 'mission-control-runtime', version: config.runtimeVersion },
    accountId: config.accountId,
  });
  await assertAnswers(config.stateDir);
  const store = openStore({
    stateDir: config.stateDir,
    mode: config.journal,
    lockWaitMs: config.stateLockWaitMs,
    onNotice: (event, message) => log.warn(event, message),
  });
  log.info(
    'runtime.started',
    `Runtime ${config.runtimeVersion} on Node ${process.versions.node}`,
    // On a terminal the settings would be a line of many hundred characters, so they are left out there.
    config.log.format === 'pretty'
      ? {}
      : {
          settings: Object.fromEntries(effective.map(({ name, value }) => [name, value])),
          // A setting that is in neither list has its default.
          fromEnvironment: namesFrom(effective, 'environment'),
          fromFile: namesFrom(effective, 'file'),
          proxies: {
            convex: shownProxy(config.proxies.convex),
            gateway: shownProxy(config.proxies.gateway),
            ...(config.traces !== null && { traces: shownProxy(config.proxies.traces) }),
          },
        },
  );
  const leftover = leftoverOf(createEntries(store));
  if (leftover !== null) log.info('journal.leftover', leftover);
  for (const { event, name, message } of advice) log.warn(event, message, { setting: name });

  const traces =
    config.traces &&
    (await openTraces({
      traces: config.traces,
      proxy: config.proxies.traces,
      accountId: config.accountId,
      version: config.runtimeVersion,
      redact,
      log,
    }));
  const { root, done, inspect } = startRuntime({ config, store, log, redact, traces });
  const inspector = config.inspector && inspect(config.inspector);
  listenToSignals((event) => root.send(event));
  for (const source of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(source, (error: unknown) => {
      log.error('process.failed', `${source}: this is a bug of the runtime`, { error });
      root.send({ type: 'process.crashed', reason: `${source}: ${messageOf(error)}` });
    });
  }
  const output = await done.catch((error: unknown) => {
    log.error('supervisor.crashed', 'The supervisor itself crashed', { error });
    return { exitCode: EXIT.bug, reason: messageOf(error) };
  });
  store.close();
  await Promise.all([inspector?.close(output), traces?.close()]);
  log.info('runtime.stopped', output.reason, { exitCode: output.exitCode });
  await log.flush();
  return output.exitCode;
}

const namesFrom = (effective: readonly EffectiveSetting[], from: Source): string[] =>
  effective.filter(({ source }) => source === from).map(({ name }) => name);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function refuse(message: string): number {
  process.stderr.write(`${message}\n`);
  return EXIT.configuration;
}

const ended = main().catch((error: unknown) => {
  const isExpected =
    error instanceof ConfigError || (error instanceof Fault && error.kind === 'journalUnavailable');
  if (!isExpected) throw error;
  return refuse(error.message);
});
void ended.then((exitCode) => {
  process.exitCode = exitCode;
  // Something may still hold the process open after its last log line. It ends all the same.
  setTimeout(() => process.exit(), 1_000).unref();
});
