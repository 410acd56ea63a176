/** Opens the inspector where it is asked for. Its trouble is only a warning, and the runtime goes on without it. */
import type { SupervisorOutput } from '../../machines/supervisor/context.ts';
import type { SupervisorActor } from '../../machines/supervisor/machine.ts';
import type { HealthStatus } from '../health/report.ts';
import type { StateClock } from '../health/state-clock.ts';
import type { WhyAnswer } from '../stories/answer.ts';
import type { Log } from '../logging/log.ts';
import { messageOf } from './problem.ts';
import { createPast } from './past.ts';
import type { StatusView } from './wire.ts';

export interface OpenOptions {
  settings: { host: string; port: number };
  root: SupervisorActor;
  clock: StateClock;
  status: () => StatusView;
  /** The part of the status that is remembered of the past. */
  glance: () => { status: HealthStatus; delivered: number };
  /** The story of a notification. */
  why: (question: string) => Promise<WhyAnswer>;
  version: string;
  redact: (text: string) => string;
  log: Log;
}

export interface OpenInspector {
  /** Says goodbye to the viewers; never rejects. */
  close(output: SupervisorOutput): Promise<void>;
}

/** Returns at once: nothing waits for the inspector. */
export function openInspector(options: OpenOptions): OpenInspector {
  const { settings, root, clock, log } = options;
  const warn = (error: unknown): null => {
    log.warn(
      'inspector.unavailable',
      `The runtime goes on without its inspector. ${messageOf(error, settings)}`,
    );
    return null;
  };
  // This is a file of its own in dist/, so a process without an inspector does not read it.
  const past = createPast({
    root,
    since: (actor) => clock.since(actor),
    glance: options.glance,
    now: () => Date.now(),
  });
  const remembering = root.system.inspect((event) => {
    try {
      past.observe(event);
    } catch (error) {
      // A throwing observer would break the transition that it watches (XState 5.33).
      remembering.unsubscribe();
      warn(error);
    }
  });
  const opened = import('./start.ts')
    .then(({ startInspector }) =>
      startInspector({
        ...options,
        ...settings,
        past: () => past.view(),
        since: (actor) => clock.since(actor),
        restarts: (id) => root.getSnapshot().context.restarts[id] ?? 0,
        command: (name) => {
          log.info('inspector.command', `Sent from the inspector: ${name}`, { command: name });
          root.send({ type: name });
        },
        onFailure: warn,
      }),
    )
    .catch(warn);
  void opened.then((inspector) => {
    if (inspector !== null)
      log.info('inspector.listening', `The inspector is on ${inspector.url}`, { url: inspector.url });
  });
  return {
    async close({ exitCode, reason }) {
      const inspector = await opened;
      await inspector?.close(exitCode, reason).catch(warn);
      remembering.unsubscribe();
    },
  };
}
