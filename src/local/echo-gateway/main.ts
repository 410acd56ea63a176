import { parseArgs } from 'node:util';
import { createEchoServer } from './server.ts';

/** A run that hangs must not keep the process for ever. */
const DRAIN_LIMIT_MS = 30_000;

const { port, agents, faults } = readArguments();
const token = process.env['OPENCLAW_GATEWAY_TOKEN'] ?? 'local';
const { server, drain } = createEchoServer({ agents, token, faults });
server.on('error', (error) =>
  leave(`The echo gateway cannot listen on 127.0.0.1:${port}: ${error.message}.`),
);
server.listen(port, '127.0.0.1', () => {
  const address = server.address();
  const bound = typeof address === 'object' ? address?.port : null;
  process.stdout.write(`${JSON.stringify({ event: 'gateway.ready', url: `http://127.0.0.1:${bound}` })}\n`);
});

process.once('SIGTERM', stop);
process.once('SIGINT', stop);
// Started by a program and not by hand: it does not outlive that program.
process.once('disconnect', () => process.exit());
process.channel?.unref();

/**
 * Drains: the gateway is no longer ready and takes no new runs, and runs under way may end. A second signal ends the
 * process at once, which is the system's default.
 */
function stop(): void {
  setTimeout(() => server.closeAllConnections(), DRAIN_LIMIT_MS).unref();
  void drain().then(() => server.close());
}

function readArguments(): { port: number; agents: string[]; faults: boolean } {
  const values = parseFlags();
  const port = Number(values.port);
  const agents = values.agents.split(',').filter(Boolean);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    leave(`--port ${values.port} is not a port: give 0 to 65535.`);
  }
  if (agents.length === 0) leave('--agents is empty: give slugs, as in --agents squad-lead,engineer.');
  return { port, agents, faults: values.faults };
}

function parseFlags(): { port: string; agents: string; faults: boolean } {
  try {
    return parseArgs({
      options: {
        port: { type: 'string', default: '18789' },
        agents: { type: 'string', default: 'squad-lead,engineer,qa' },
        faults: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return leave(error instanceof Error ? error.message : String(error));
  }
}

function leave(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
