/** The queries of the dashboard and of the alerts, and a real Prometheus that scrapes one runtime. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { freePort } from '../../src/local/free-port.ts';
import { until } from './until.ts';

const MONITORING = join(import.meta.dirname, '../../docker/monitoring');

export const Rules = v.strictObject({
  groups: v.array(
    v.strictObject({
      name: v.string(),
      rules: v.array(
        v.strictObject({
          alert: v.string(),
          expr: v.string(),
          for: v.optional(v.string()),
          labels: v.strictObject({ severity: v.string() }),
          annotations: v.record(v.string(), v.string()),
        }),
      ),
    }),
  ),
});

const Dashboard = v.looseObject({
  panels: v.array(
    v.looseObject({
      id: v.number(),
      title: v.string(),
      gridPos: v.strictObject({ h: v.number(), w: v.number(), x: v.number(), y: v.number() }),
      targets: v.optional(v.array(v.looseObject({ expr: v.string() })), []),
    }),
  ),
});

/** Every query of the dashboard, with Grafana's variables put in. */
export function dashboardQueries() {
  const text = readFileSync(join(MONITORING, 'grafana/dashboards/mission-control.json'), 'utf8');
  const { panels } = v.parse(Dashboard, JSON.parse(text));
  const queries = panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({
      title,
      expr: expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m'),
    })),
  );
  return { panels, queries };
}

export function alertQueries(): { title: string; expr: string }[] {
  const rules = v.parse(Rules, parse(readFileSync(join(MONITORING, 'prometheus/alerts.yml'), 'utf8')));
  return rules.groups.flatMap((group) => group.rules.map(({ alert, expr }) => ({ title: alert, expr })));
}

const Answer = v.looseObject({
  status: v.literal('success'),
  data: v.looseObject({ result: v.array(v.looseObject({ metric: v.record(v.string(), v.string()) })) }),
});

export interface Prometheus {
  /** @returns the labels of each series that the query gives. @throws Error for a query that Prometheus refuses */
  query(expr: string): Promise<Record<string, string>[]>;
  /** @returns the names of the alerts whose rules Prometheus evaluates, with their health */
  ruleHealth(): Promise<Record<string, string>>;
}

const RuleStates = v.looseObject({
  data: v.looseObject({
    groups: v.array(
      v.looseObject({ rules: v.array(v.looseObject({ name: v.string(), health: v.string() })) }),
    ),
  }),
});

/**
 * Starts Debian's Prometheus with the configuration of the profile monitoring, which scrapes every second.
 * @returns null where no Prometheus is installed
 */
export async function startPrometheus(target: string): Promise<Prometheus | null> {
  const dir = mkdtempSync(join(tmpdir(), 'prometheus-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const text = readFileSync(join(MONITORING, 'prometheus/prometheus.yml'), 'utf8');
  const config = v.parse(v.looseObject({}), parse(text.replace('runtime:3000', target)));
  config['global'] = { scrape_interval: '1s', evaluation_interval: '1s' };
  writeFileSync(join(dir, 'prometheus.yml'), stringify(config));
  writeFileSync(join(dir, 'alerts.yml'), readFileSync(join(MONITORING, 'prometheus/alerts.yml')));

  const url = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${dir}/prometheus.yml`,
      `--storage.tsdb.path=${dir}/data`,
      `--web.listen-address=${url.replace('http://', '')}`,
    ],
    { stdio: 'ignore' },
  );
  const started = await new Promise<boolean>((resolve) => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
  if (!started) return null;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await until('Prometheus is ready', async () => (await fetch(`${url}/-/ready`).catch(() => null))?.ok);

  return {
    async query(expr) {
      const body = new URLSearchParams({ query: expr });
      const answer: unknown = await (await fetch(`${url}/api/v1/query`, { method: 'POST', body })).json();
      if (!v.is(Answer, answer)) throw new Error(`Prometheus refuses ${expr}: ${JSON.stringify(answer)}`);
      return answer.data.result.map(({ metric }) => metric);
    },
    async ruleHealth() {
      const { data } = v.parse(RuleStates, await (await fetch(`${url}/api/v1/rules`)).json());
      return Object.fromEntries(
        data.groups.flatMap(({ rules }) => rules.map(({ name, health }) => [name, health])),
      );
    },
  };
}
