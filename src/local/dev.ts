/**
 * `npm run dev`: the local Mission Control backend, a gateway and the runtime, each a process of its own, with one
 * prefixed log. Ctrl-C stops all of it, the runtime first.
 */
import { parseArgs } from 'node:util';
import { startBackend, type Backend } from './mission-control/spawn.ts';
import { startEchoGateway } from './echo-gateway/spawn.ts';
import { watchTheEnd } from './ending.ts';
import { freePort } from './free-port.ts';
import { chooseInspector } from './inspector.ts';
import { takenPorts } from './ports.ts';
import { createPrinter } from './printer.ts';
import { superviseRuntime } from './runtime-process.ts';
import { DATA_DIR, DEV_STATE_DIR, removeSession, writeSession } from './session.ts';

const USAGE = `npm run dev

Starts the local Mission Control backend, a gateway and the runtime, and prints their addresses.

Environment:
  OPENCLAW_GATEWAY_URL, OPENCLAW_GATEWAY_TOKEN   a real gateway; without them an echo gateway is started
  LOCAL_BACKEND_PORT                             port of the backend (3210; 0 takes a free one)
  INSPECTOR, INSPECTOR_PORT                      the live picture of the machines (on; 9230, or a free port if it is taken)
  DEV_DIR                                        where the stack keeps its files, for npm run say too (.runtime)
  HEALTH_PORT, LOG_LEVEL and all other settings of the runtime (node dist/main.js --help lists them)`;

const print = createPrinter(process.stdout);

async function main(): Promise<number> {
  if (parseArgs({ options: { help: { type: 'boolean', short: 'h' } } }).values.help === true) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const { LOCAL_BACKEND_PORT = '3210', HEALTH_PORT = '3000', HEALTH_HOST = '127.0.0.1' } = process.env;
  const taken = await takenPorts([
    {
      what: 'the local Mission Control',
      host: '127.0.0.1',
      port: Number(LOCAL_BACKEND_PORT),
      setting: 'LOCAL_BACKEND_PORT',
    },
    { what: 'the runtime', host: HEALTH_HOST, port: Number(HEALTH_PORT), setting: 'HEALTH_PORT' },
  ]);
  if (taken.length > 0) {
    for (const sentence of taken) print('dev', sentence);
    return 1;
  }
  const backend = await startBackend({
    port: Number(LOCAL_BACKEND_PORT),
    dataDir: DATA_DIR,
    onLog: (line) => print('backend', line.replace(/^backend: /, '')),
  });
  const gateway = await findGateway();
  try {
    return await runRuntime(backend, gateway);
  } finally {
    removeSession();
    await gateway.close();
    await backend.close();
  }
}

interface DevGateway {
  url: string;
  env: NodeJS.ProcessEnv;
  /** Settles when the gateway is gone. Never settles for a gateway that somebody else started. */
  exited: Promise<number | null>;
  close: () => Promise<void>;
}

async function findGateway(): Promise<DevGateway> {
  const { OPENCLAW_GATEWAY_URL: given } = process.env;
  if (given !== undefined) {
    print('gateway', given === '' ? 'none (OPENCLAW_GATEWAY_URL is empty)' : `the one at ${given}`);
    return {
      url: given === '' ? 'none' : given,
      env: {},
      exited: new Promise(() => undefined),
      close: () => Promise.resolve(),
    };
  }
  const echo = await startEchoGateway();
  print('gateway', `echo gateway on ${echo.url}; set OPENCLAW_GATEWAY_URL to use a real one`);
  return {
    url: echo.url,
    env: { OPENCLAW_GATEWAY_URL: echo.url, OPENCLAW_GATEWAY_TOKEN: echo.token },
    exited: echo.exited,
    close: () => echo.close(),
  };
}

async function runRuntime(backend: Backend, gateway: DevGateway): Promise<number> {
  const port =
    process.env.HEALTH_PORT === '0' ? String(await freePort()) : (process.env.HEALTH_PORT ?? '3000');
  const healthUrl = `http://${process.env.HEALTH_HOST ?? '127.0.0.1'}:${port}`;
  const inspector = await chooseInspector((line) => print('dev', line));
  const runtime = superviseRuntime({
    env: {
      STATE_DIR: DEV_STATE_DIR,
      LOG_FORMAT: 'pretty',
      ...process.env,
      ...gateway.env,
      ...inspector.env,
      HEALTH_PORT: port,
      CONVEX_URL: backend.url,
      ACCOUNT_ID: backend.accountId,
      SERVICE_TOKEN: backend.serviceToken,
    },
    healthUrl,
    onLine: (line) => print('runtime', line),
  });
  const ending = watchTheEnd({ backend, gateway, runtime, healthUrl, print: (line) => print('dev', line) });
  if (await runtime.ready) {
    const { accountId, serviceToken, personToken, tasks, url: convexUrl } = backend;
    writeSession({
      convexUrl,
      accountId,
      serviceToken,
      personToken,
      healthUrl,
      gatewayUrl: gateway.url,
      tasks,
      ...(inspector.url !== null && { inspectorUrl: inspector.url }),
    });
    print('dev', `backend  ${convexUrl}`);
    print('dev', `gateway  ${gateway.url}`);
    print('dev', `health   ${healthUrl}/health`);
    if (inspector.url !== null) print('dev', `machines ${inspector.url}`);
    print('dev', 'Try next, in another terminal: npm run say -- "@engineer please look at the login bug"');
  }
  return ending;
}

process.exitCode = await main().catch((error: unknown) => {
  print('dev', error instanceof Error ? error.message : String(error));
  return 1;
});
