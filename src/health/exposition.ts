/** The two forms in which metrics go out. */

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
export const OPENMETRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** @param accept the request's Accept header */
export const wantsOpenMetrics = (accept: string | undefined): boolean =>
  accept?.includes('application/openmetrics-text') === true;

/**
 * Turns the Prometheus text format into OpenMetrics. The two differ in three things: the family of a counter is named
 * without `_total`, there are no blank lines, and the text ends with a mark. prom-client can write OpenMetrics as well,
 * but it renames its counters for good as it does so.
 */
export function toOpenMetrics(text: string): string {
  const counters = new Set([...text.matchAll(/^# TYPE (\S+)_total counter$/gm)].map(([, name = '']) => name));
  const lines = text.split('\n').flatMap((line) => {
    if (line === '') return [];
    const family = /^# (?:HELP|TYPE) (?<name>\S+)_total /.exec(line)?.groups?.name ?? '';
    return counters.has(family) ? line.replace(`${family}_total `, `${family} `) : line;
  });
  return `${lines.join('\n')}\n# EOF\n`;
}
