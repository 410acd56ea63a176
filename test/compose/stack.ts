/**
 * A checkout of its own with a stack of its own: project, ports and data. All of it goes when the tests are over; the
 * images stay, so that the next build is quick.
 */
import { appendFileSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { DemoClient } from '../../src/local/client.ts';
import { freePort } from '../../src/local/free-port.ts';
import type { HealthReport } from '../../src/health/report.ts';
import { until } from '../kits/until.ts';
import { copyCheckout } from '../kits/readme.ts';
import { dockerIn, personAt, readHealth, removeStack, type Docker } from './checkout.ts';

/** Milliseconds: a loaded machine takes long for everything. */
export const PATIENCE_MS = 420_000;

const Container = v.object({
  Id: v.string(),
  RestartCount: v.number(),
  State: v.object({
    Status: v.string(),
    ExitCode: v.number(),
    StartedAt: v.string(),
    Health: v.optional(
      v.object({ Status: v.string(), Log: v.nullable(v.array(v.object({ Start: v.string() }))) }),
    ),
  }),
  NetworkSettings: v.object({
    Ports: v.record(v.string(), v.nullable(v.array(v.object({ HostIp: v.string(), HostPort: v.string() })))),
  }),
});

type Container = v.InferOutput<typeof Container>;

interface Ports {
  health: number;
  backend: number;
  gateway: number;
  inspector: number;
}

export interface Stack {
  root: string;
  ports: Ports;
  docker: Docker;
  compose: Docker;
  /** What the engine says of the containers, by service. */
  containers(): Promise<Record<string, Container>>;
  container(service: string): Promise<Container>;
  /** With which codes the service's container ended since the moment, in seconds since the epoch. */
  exitCodes(service: string, since: number): Promise<string[]>;
  health(): Promise<HealthReport | null>;
  waitForHealth(what: string, matches: (health: HealthReport) => boolean): Promise<HealthReport>;
  /** Mission Control with a person in front of it, once the backend is up. */
  person(): Promise<DemoClient>;
  down(): Promise<void>;
}

/** A fresh checkout; nothing of it runs yet. @param env settings on top of .env.example; null for no .env at all */
export async function newStack(env: Record<string, string> | null = {}): Promise<Stack> {
  const root = copyCheckout('mission-control-stack-');
  const ports = {
    health: await freePort(),
    backend: await freePort(),
    gateway: await freePort(),
    inspector: await freePort(),
  };
  if (env !== null) {
    copyFileSync(join(root, '.env.example'), join(root, '.env'));
    appendFileSync(join(root, '.env'), lines(env));
  }
  const environment = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    COMPOSE_PROJECT_NAME: `stack-test-${process.pid}-${ports.health}`,
    HEALTH_PORT: String(ports.health),
    BACKEND_PORT: String(ports.backend),
    GATEWAY_PORT: String(ports.gateway),
    INSPECTOR_PORT: String(ports.inspector),
  };
  const docker = dockerIn(root, environment);
  const compose: Docker = (...args) => docker('compose', ...args);

  const containers = async (): Promise<Record<string, Container>> => {
    const listed = await compose('--profile', '*', 'ps', '--all', '--format', '{{.Service}} {{.ID}}');
    const pairs = listed.split('\n').filter((line) => line !== '');
    return Object.fromEntries(
      await Promise.all(
        pairs.map(async (line) => {
          const [service = '', id = ''] = line.split(' ');
          const [found] = v.parse(v.array(Container), JSON.parse(await docker('inspect', id)));
          return [service, found] as const;
        }),
      ),
    ) as Record<string, Container>;
  };
  const container = async (service: string): Promise<Container> => {
    const found = (await containers())[service];
    if (found === undefined) throw new Error(`There is no container of ${service}.`);
    return found;
  };
  const health = () => readHealth(ports.health);
  return {
    root,
    ports,
    docker,
    compose,
    containers,
    container,
    exitCodes: async (service, since) => {
      const { Id } = await container(service);
      const filters = ['--filter', `container=${Id}`, '--filter', 'event=die'];
      const until = String(Date.now() / 1_000);
      const format = '{{.Actor.Attributes.exitCode}}';
      const said = await docker(
        'events',
        '--since',
        String(since),
        '--until',
        until,
        ...filters,
        '--format',
        format,
      );
      return said.split('\n').filter((line) => line !== '');
    },
    health,
    waitForHealth: (what, matches) =>
      until(
        `/health shows ${what}`,
        async () => {
          const report = await health();
          return report !== null && matches(report) && report;
        },
        PATIENCE_MS,
      ),
    person: () => personAt(ports.backend, docker),
    down: () => removeStack(root, docker),
  };
}

const lines = (env: Record<string, string>): string =>
  Object.entries(env)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

/** A figure for whoever reads the output. */
export const figure = (name: string, value: string): void => {
  process.stdout.write(`compose: ${name}: ${value}\n`);
};

/** @returns seconds with one decimal since a moment of performance.now() */
export const secondsSince = (start: number): string =>
  `${((performance.now() - start) / 1_000).toFixed(1)} s`;
