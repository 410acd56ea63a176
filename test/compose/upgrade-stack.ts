/**
 * A checkout of its own with the stack up in it: its project, images and ports are its own as well, and all of it goes.
 * The agent gateway is the echo gateway, so that a run takes as long as a test wants.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { DemoClient } from '../../src/local/client.ts';
import type { HealthReport } from '../../src/health/report.ts';
import { freePort } from '../../src/local/free-port.ts';
import { until } from '../kits/until.ts';
import { copyCheckout, REPO } from '../kits/readme.ts';
import { dockerIn, personAt, readHealth, removeStack, type Docker } from './checkout.ts';

export const IMAGE = 'upgrade-test-runtime';
const BACKEND_IMAGE = 'upgrade-test-backend:local';
const GATEWAY_TOKEN = 'echo-gateway-token';
/** Milliseconds; a loaded machine takes long to start containers. */
const START_LIMIT_MS = 120_000;

/** What the engine says of a service's container. */
interface Container {
  id: string;
  image: string;
  startedAt: string;
  restarts: number;
}

const History = v.object({
  runtime: v.object({
    pendingUpgrade: v.optional(v.unknown()),
    upgradeHistory: v.optional(
      v.array(
        v.object({
          status: v.string(),
          fromRuntimeVersion: v.string(),
          toRuntimeVersion: v.string(),
          error: v.optional(v.string()),
        }),
      ),
      [],
    ),
  }),
});

const Runs = v.object({
  runs: v.array(v.object({ sessionKey: v.string(), endedAt: v.nullable(v.number()) })),
});

interface Ended {
  code: number | null;
  /** Both streams, as they came. */
  output: string;
}

/** A run of the upgrade script. */
interface Upgrade {
  pid: number;
  output(): string;
  ended: Promise<Ended>;
}

export interface UpgradeStack {
  root: string;
  person: DemoClient;
  docker: Docker;
  compose: Docker;
  /** Starts the script; `environment` goes on top of the test's. */
  upgrade(args: string[], environment?: Record<string, string>): Upgrade;
  container(service: string): Promise<Container>;
  /** null when nothing answers. */
  health(): Promise<HealthReport | null>;
  waitForHealth(what: string, matches: (health: HealthReport) => boolean): Promise<HealthReport>;
  history(): Promise<v.InferOutput<typeof History>['runtime']>;
  env(): string;
  set(name: string, value: string): void;
  /** From now on each run of an agent takes so long. */
  setRunTime(ms: number): Promise<void>;
  /** Runs of agents that are under way, heartbeats left out. */
  openRuns(): Promise<number>;
  down(): Promise<void>;
}

/** Builds version 1.0.0 from this checkout and starts it. */
export async function startUpgradeStack(): Promise<UpgradeStack> {
  // With a space in it: the script has to bear that.
  const root = copyCheckout('mission control-');
  const [health, backend, gateway] = [await freePort(), await freePort(), await freePort()];
  writeFileSync(join(root, '.env'), settings(root, health, backend));
  writeFileSync(join(root, 'docker-compose.override.yml'), JSON.stringify(override(gateway)));

  const docker = dockerIn(root);
  const compose: Docker = (...args) => docker('compose', ...args);
  const healthOf = () => readHealth(health);
  const down = async (): Promise<void> => {
    const images = await docker('image', 'ls', '--quiet', '--filter', 'reference=upgrade-test-*');
    await removeStack(root, docker);
    if (images !== '') await dockerIn(REPO)('image', 'rm', '--force', ...new Set(images.split('\n')));
  };

  try {
    await compose('build', 'runtime', 'backend');
    await compose('up', '--detach', '--wait', '--no-build');
    const person = await personAt(backend, docker);
    return {
      root,
      person,
      docker,
      compose,
      upgrade: (args, environment = {}) => startScript(root, args, environment),
      container: async (service) => containerOf(docker, await compose('ps', '--quiet', service)),
      health: healthOf,
      waitForHealth: (what, matches) =>
        until(
          what,
          async () => {
            const report = await healthOf();
            return report !== null && matches(report) ? report : null;
          },
          START_LIMIT_MS,
        ),
      history: async () => v.parse(History, await person.call('demo/actions:showRuntime', {})).runtime,
      env: () => readFileSync(join(root, '.env'), 'utf8'),
      set: (name, value) => {
        const others = readFileSync(join(root, '.env'), 'utf8')
          .split('\n')
          .filter((line) => line !== '' && !line.startsWith(`${name}=`));
        writeFileSync(join(root, '.env'), `${[...others, `${name}=${value}`].join('\n')}\n`);
      },
      setRunTime: async (delayMs) => {
        const body = JSON.stringify({ mode: 'ok', delayMs });
        await fetch(`http://127.0.0.1:${gateway}/__faults`, { method: 'POST', body });
      },
      openRuns: async () => {
        const answer = await fetch(`http://127.0.0.1:${gateway}/__runs`);
        const { runs } = v.parse(Runs, await answer.json());
        return runs.filter(({ endedAt, sessionKey }) => endedAt === null && !sessionKey.includes(':system:'))
          .length;
      },
      down,
    };
  } catch (error) {
    await down();
    throw error;
  }
}

function settings(root: string, healthPort: number, backendPort: number): string {
  const example = readFileSync(join(root, '.env.example'), 'utf8').split('\n');
  const own = {
    COMPOSE_PROFILES: 'local',
    COMPOSE_PROJECT_NAME: `upgrade-test-${process.pid}`,
    RUNTIME_IMAGE: IMAGE,
    RUNTIME_TAG: '1.0.0',
    VERSION: '1.0.0',
    HEALTH_PORT: healthPort,
    BACKEND_PORT: backendPort,
    OPENCLAW_GATEWAY_URL: 'http://echo-gateway:18789',
    OPENCLAW_GATEWAY_TOKEN: GATEWAY_TOKEN,
    OPENCLAW_GATEWAY_TOKEN_FILE: '',
    HEALTH_CHECK_INTERVAL: '1s',
    DELIVERY_INTERVAL: '1s',
    DELIVERY_BACKOFF_BASE_MS: '100ms',
    DELIVERY_BACKOFF_MAX_MS: '500ms',
  };
  const kept = example.filter((line) => !Object.keys(own).some((name) => line.startsWith(`${name}=`)));
  return [...kept, ...Object.entries(own).map(([name, value]) => `${name}=${value}`), ''].join('\n');
}

/** The echo gateway listens on the loopback interface only: a forwarder in its container lets the others in. */
const GATEWAY = `
  const { connect, createServer } = require('node:net');
  require('node:child_process').spawn('node', ['src/local/echo-gateway/main.ts', '--port', '18790', '--faults'], { stdio: 'inherit' });
  createServer((caller) => {
    const gateway = connect(18790, '127.0.0.1');
    caller.on('error', () => gateway.destroy()).pipe(gateway).on('error', () => caller.destroy()).pipe(caller);
  }).listen(18789);`;

const override = (gatewayPort: number) => ({
  services: {
    backend: { image: BACKEND_IMAGE },
    // The image has 5 s, which the tests would wait for again and again.
    runtime: { healthcheck: { interval: '1s' } },
    'echo-gateway': {
      image: 'node:24-bookworm-slim',
      pull_policy: 'never',
      init: true,
      working_dir: '/app',
      command: ['node', '-e', GATEWAY],
      environment: { OPENCLAW_GATEWAY_TOKEN: GATEWAY_TOKEN },
      ports: [`127.0.0.1:${gatewayPort}:18789`],
      volumes: [
        './package.json:/app/package.json:ro',
        './src:/app/src:ro',
        './machines:/app/machines:ro',
        `${join(REPO, 'node_modules')}:/app/node_modules:ro`,
      ],
    },
  },
});

function startScript(root: string, args: string[], environment: Record<string, string>): Upgrade {
  const child = spawn(join(root, 'scripts/runtime-upgrade-local.sh'), args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pieces: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => pieces.push(piece));
  }
  const output = (): string => pieces.join('');
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ code, output: output() }));
  });
  return { pid: child.pid ?? 0, output, ended };
}

const Inspected = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    Id: v.string(),
    Image: v.string(),
    RestartCount: v.number(),
    State: v.object({ StartedAt: v.string() }),
  }),
);

async function containerOf(docker: UpgradeStack['docker'], id: string): Promise<Container> {
  const { Id, Image, RestartCount, State } = v.parse(
    Inspected,
    await docker('inspect', '--type', 'container', '--format', '{{json .}}', id),
  );
  return { id: Id, image: Image, startedAt: State.StartedAt, restarts: RestartCount };
}
