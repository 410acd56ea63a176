/** Dashboard, rules and their provisioning fit together; the rules do what they say. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { parse } from 'yaml';
import { dashboardQueries, Rules } from '../../test/kits/monitoring.ts';

const HERE = import.meta.dirname;
const read = (path: string): string => readFileSync(join(HERE, path), 'utf8');

const rules = v.parse(Rules, parse(read('prometheus/alerts.yml'))).groups.flatMap((group) => group.rules);

const RuleTests = v.looseObject({
  tests: v.array(
    v.looseObject({
      alert_rule_test: v.array(
        v.looseObject({
          alertname: v.string(),
          exp_alerts: v.array(v.looseObject({ exp_labels: v.looseObject({}) })),
        }),
      ),
    }),
  ),
});

describe('alerts', () => {
  test('each one is played by a test in which it fires', () => {
    const { tests } = v.parse(RuleTests, parse(read('prometheus/alerts.test.yml')));
    const fired = tests
      .flatMap((played) => played.alert_rule_test)
      .filter(({ exp_alerts }) => exp_alerts.length > 0)
      .map(({ alertname }) => alertname);
    expect(new Set(fired)).toEqual(new Set(rules.map(({ alert }) => alert)));
  });

  test('each one says what is wrong and what to do, and leads to an entry of the runbook', () => {
    const runbook = readFileSync(join(HERE, '../../docs/runbook.md'), 'utf8');
    const anchors = Array.from(runbook.matchAll(/^##+ (.+)$/gm), ([, heading = '']) =>
      heading.toLowerCase().replaceAll(' ', '-'),
    );
    for (const { alert, annotations, labels } of rules) {
      expect(Object.keys(annotations), alert).toEqual(['summary', 'action', 'runbook']);
      const [page, anchor] = String(annotations['runbook']).split('#');
      expect(page, alert).toBe('docs/runbook.md');
      expect(anchors, alert).toContain(anchor);
      expect(['warning', 'critical'], alert).toContain(labels.severity);
    }
  });

  test('promtool takes the configuration, and the rules pass their tests', ({ skip }) => {
    const promtool = (...args: string[]): string => {
      try {
        return execFileSync('promtool', args, { cwd: HERE, encoding: 'utf8', stdio: 'pipe' });
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
          return skip('promtool is not installed (Debian: apt-get install prometheus)');
        }
        throw error;
      }
    };
    expect(promtool('check', 'config', 'prometheus/prometheus.yml')).toContain('SUCCESS');
    expect(promtool('test', 'rules', 'prometheus/alerts.test.yml')).toContain('SUCCESS');
  });
});

describe('the dashboard', () => {
  const Source = v.looseObject({
    datasources: v.tuple([v.looseObject({ uid: v.string(), url: v.string() })]),
  });
  const [source] = v.parse(
    Source,
    parse(read('grafana/provisioning/datasources/prometheus.yml')),
  ).datasources;

  test('asks the data source that is provisioned, and no other', () => {
    const text = read('grafana/dashboards/mission-control.json');
    const uids = [...text.matchAll(/"uid": "([^"]+)"/g)].map(([, uid]) => uid);
    expect(new Set(uids)).toEqual(new Set([source.uid]));
    expect(source.url).toBe('http://prometheus:9090');
  });

  test('says of each panel what it shows, and gives each a place of its own', () => {
    const { panels } = dashboardQueries();
    const places = panels.map(({ gridPos }) => gridPos);
    for (const [n, a] of places.entries()) {
      for (const b of places.slice(n + 1)) {
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect(apart, JSON.stringify([a, b])).toBe(true);
      }
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(panels.filter(({ title }) => title.endsWith('?')).map(({ title }) => title)).toEqual([
      'Why is a message not answered?',
      'What does it cost?',
    ]);
  });
});
