import { join } from 'node:path';
import process from 'node:process';
import { writeSession } from '../session.ts';
import { writeCredentials } from './credentials.ts';
import { writeSecret } from './data-dir.ts';
import { readSettings } from './options.ts';
import type { BackendSettings } from './options.ts';
import type { BackendReady } from './ready.ts';
import { startServing } from './start.ts';

const log = (line: string): void => {
  process.stderr.write(`backend: ${line}\n`);
};

function settingsOrExit(): BackendSettings {
  try {
    return readSettings(process.argv.slice(2), process.env);
  } catch (error) {
    log(error instanceof Error ? error.message : String(error));
    process.exit(78);
  }
}

/** For the runtime's settings that are read from files, and for `say` beside this process. */
function handOver(ready: BackendReady, dir: string): void {
  const { url: convexUrl, accountId, serviceToken, personToken, tasks } = ready;
  writeCredentials(dir, ready);
  const healthUrl = process.env['LOCAL_HEALTH_URL'] ?? 'http://127.0.0.1:3000';
  writeSession({ convexUrl, accountId, serviceToken, personToken, healthUrl, gatewayUrl: '', tasks });
}

/** Serves until it is told to stop. It sets the exit code, and ends the process where a setting is wrong. */
export async function serve(): Promise<void> {
  const settings = settingsOrExit();
  try {
    const backend = await startServing(settings, log);
    if (settings.dataDir !== null) {
      writeCredentials(settings.dataDir, backend.ready);
      writeSecret(join(settings.dataDir, 'PERSON_TOKEN'), backend.ready.personToken);
    }
    if (settings.credentialsDir === null) process.stdout.write(`${JSON.stringify(backend.ready)}\n`);
    else handOver(backend.ready, settings.credentialsDir);
    const place = settings.dataDir ?? 'memory: they are gone when this process ends';
    log(`serving ${backend.ready.url}; the data are in ${place}`);
    const stop = (): void => {
      backend.close();
      process.stdin.destroy();
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
    if (settings.exitWithStdin) process.stdin.resume().once('end', stop);
  } catch (error) {
    log(error instanceof Error ? error.message : String(error));
    process.exitCode = 71;
  }
}
