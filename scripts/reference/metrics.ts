import { createMetrics } from '../../src/health/metrics.ts';
import { code, table } from './table.ts';

/** Labels whose values are not known beforehand. */
const OPEN_LABELS = new Map([
  ['mission_control_tokens_total agent', 'slugs of agents, at most 200, and `other`'],
  ['mission_control_state machine', 'the supervised machines'],
  ['mission_control_state state', 'their states (docs/machines)'],
  ['mission_control_build_info version', 'the version of this build'],
]);

/** One row for each metric of ours, from the registry that a scrape reads. */
export async function metricsTable(): Promise<string> {
  const metrics = createMetrics('0', '.');
  // The series of the machines' states exist from the first scrape on.
  const machines = [{ id: 'delivery', value: 'running' }];
  await metrics.render({
    inFlight: 0,
    queued: 0,
    waiting: 0,
    queueAgeSeconds: 0,
    consecutiveFailures: 0,
    stalledRuns: 0,
    agentsAtRest: 0,
    deadLetters: 0,
    gatewayUp: false,
    gate: 'closed',
    machines,
  });
  const ours = (await metrics.registry.getMetricsAsJSON()).filter(({ name }) =>
    name.startsWith('mission_control_'),
  );
  const rows = ours.map(({ name, type, help, values }) => {
    const labels = values.flatMap((value) => Object.entries(value.labels));
    return [code(name), String(type), help, labelsCell(name, labels)];
  });
  return table([['metric', 'type', 'what it says', 'labels'], ...rows]);
}

function labelsCell(metric: string, labels: readonly [string, unknown][]): string {
  // The bounds of a histogram are no label of ours.
  const byName = Map.groupBy(
    labels.filter(([name]) => name !== 'le'),
    ([name]) => name,
  );
  return [...byName]
    .map(([name, all]) => {
      const values = [...new Set(all.map(([, value]) => code(String(value))))].join(', ');
      return `${code(name)}: ${OPEN_LABELS.get(`${metric} ${name}`) ?? values}`;
    })
    .join('; ');
}
