/**
 * The names under which the earlier runtime gave the same facts. Scripts and dashboards read them, so `/health` and
 * `/version` carry both.
 */
import type { HealthReport } from './report.ts';

export const withEarlierNames = (report: HealthReport) => ({
  ...report,
  versions: { ...report.versions, runtimeService: report.versions.runtime },
  infrastructure: { ...report.infrastructure, ipAddress: report.infrastructure.ip },
  gateway: { ...report.gateway, running: report.gateway.state === 'connected' },
  delivery: { ...report.delivery, running: report.machines.some(({ id }) => id === 'delivery') },
});

export const versionAnswer = ({ versions, infrastructure }: HealthReport) => ({
  ...versions,
  runtimeServiceVersion: versions.runtime,
  openclawVersion: versions.openclaw,
  dropletId: infrastructure.dropletId,
  region: infrastructure.region,
});
