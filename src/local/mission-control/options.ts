import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { keptSecret } from './credentials.ts';

export interface BackendSettings {
  /** The address to listen on. */
  host: string;
  /** 0: any free one. */
  port: number;
  /** 64 lower-case hex digits: the secret part of the service token. */
  secret: string;
  /** The secret part of the person's token. */
  personSecret: string;
  /** Tasks assigned to the engineer beside the seeded ones. */
  extraTasks: number;
  /** Whether `POST /__faults` is there. */
  faults: boolean;
  /** Offer what goes beyond the contract (docs/contract-extensions.md). */
  extensions: boolean;
  /** End when standard input does: the process that started this one is gone. */
  exitWithStdin: boolean;
  /** Where the data are kept; null keeps them in memory. */
  dataDir: string | null;
  /** Where the account's id and token go instead of standard output; null for standard output. */
  credentialsDir: string | null;
}

/**
 * @param argv what follows the script's name
 * @throws Error with one sentence about the first setting that is wrong
 */
export function readSettings(argv: string[], env: NodeJS.ProcessEnv): BackendSettings {
  const { values } = parseArgs({
    args: argv,
    options: {
      port: { type: 'string' },
      'extra-tasks': { type: 'string' },
      'exit-with-stdin': { type: 'boolean' },
    },
  });
  const dataDir = env['LOCAL_DATA_DIR'] || null;
  const credentialsDir = env['LOCAL_CREDENTIALS_DIR'] || null;
  return {
    host: env['LOCAL_BACKEND_HOST'] || '127.0.0.1',
    port: wholeNumber('--port (or LOCAL_BACKEND_PORT)', values.port ?? env['LOCAL_BACKEND_PORT'], 65_535),
    secret: readSecret(env['LOCAL_SERVICE_SECRET'] || keptSecret(credentialsDir) || keptSecret(dataDir)),
    personSecret: readSecret(keptSecret(dataDir, 'PERSON_TOKEN')),
    extraTasks: wholeNumber('--extra-tasks', values['extra-tasks'], 10_000),
    faults: env['LOCAL_BACKEND_FAULTS'] === '1',
    extensions: env['LOCAL_BACKEND_EXTENSIONS'] !== '0',
    exitWithStdin: values['exit-with-stdin'] ?? false,
    dataDir,
    credentialsDir,
  };
}

function wholeNumber(name: string, text = '0', max: number): number {
  const value = Number(text || '0');
  if (!Number.isInteger(value) || value < 0 || value > max) {
    throw new Error(`${name} must be a whole number from 0 to ${max}.`);
  }
  return value;
}

function readSecret(given: string | null): string {
  if (!given) return randomBytes(32).toString('hex');
  if (!/^[0-9a-f]{64}$/.test(given)) {
    throw new Error('LOCAL_SERVICE_SECRET must be 64 lower-case hex digits (openssl rand -hex 32).');
  }
  return given;
}
