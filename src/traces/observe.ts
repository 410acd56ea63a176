/**
 * Makes the spans of a trace: from the actors that a notification or a heartbeat starts, and from its story. It only
 * looks, and only through XState's inspection.
 */
import type { Span, Tracer } from '@opentelemetry/api';
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { childOutputOf, type ChildOutput } from '../../machines/delivery/context.ts';
import type { NextCall } from '../../machines/shared/rounds.ts';
import type { Usage } from '../../machines/shared/tools.ts';
import { statePaths } from '../health/state-paths.ts';
import { rowsOf, type Stories } from '../stories/observe.ts';
import type { Story } from '../stories/story.ts';
import type { Identities } from './identity.ts';
import { createPen } from './pen.ts';
import { aboutCall, aboutRound, aboutRun, addUsage, endOfRun, usageAttributes, type OpenRun } from './run.ts';
import { isOfRun, stepOf, type Step } from './steps.ts';
import {
  contextOf,
  isOfVersion,
  ofRow,
  subjectOf,
  versionIn,
  type SessionContext,
  type Subject,
} from './subject.ts';
import { waitsIn } from './waits.ts';

export interface ObserverOptions {
  tracer: Tracer;
  identities: Identities;
  accountId: string;
  redact: (text: string) => string;
  now?: () => number;
}

type Known = Pick<Stories, 'memory' | 'held'>;
type Phase = Story['phases'][number];

/** What one actor at the head of a session does. */
interface Work {
  subject: Subject;
  run: OpenRun | null;
  /** The last phase of its story that has been told. */
  told: Phase | null;
}

/** One call of the machine's, from its start to its end. */
interface OpenStep {
  step: Step;
  span: Span;
  work: Work;
}

export interface Observer {
  observe: (event: InspectionEvent, stories: Known) => void;
  /** Of an actor that a notification or a heartbeat has started. */
  spanOf: (actor: AnyActorRef) => Span | undefined;
  /** The gateway reported the tokens of a round. */
  spent: (round: Span | undefined, usage: Usage) => void;
}

export function createObserver(options: ObserverOptions): Observer {
  const { accountId, now = Date.now } = options;
  const pen = createPen(options.tracer, options.identities, options.redact);
  // Weak maps, so that everything is forgotten together with its actor.
  const works = new WeakMap<AnyActorRef, Work>();
  const steps = new WeakMap<AnyActorRef, OpenStep>();
  const runs = new WeakMap<Span, OpenRun>();
  const listings = new WeakMap<AnyActorRef, number>();
  const listed = new WeakMap<Story, Phase>();

  function takeEvent({ actorRef, sourceRef, event }: Sent, stories: Known): void {
    if (event.type === 'xstate.init') {
      begin(actorRef as AnyActorRef, sourceRef as AnyActorRef | undefined, event);
      return;
    }
    if (sourceRef === undefined || !/^xstate\.(?:done|error)\.actor\./.test(event.type)) return;
    const source = sourceRef as AnyActorRef;
    const step = steps.get(source);
    if (step !== undefined) endStep(source, step, event);
    const work = works.get(source);
    const output = childOutputOf(event);
    if (work !== undefined && output !== null) endWork(source, work, output, stories);
    const from = listings.get(source);
    const rows = rowsOf(event);
    if (from !== undefined && rows !== null) tellListing(from, rows, stories);
  }

  function begin(actor: AnyActorRef, parent: AnyActorRef | undefined, event: object): void {
    if (actor.src === 'listUndelivered') listings.set(actor, now());
    const context = contextOf(actor);
    if (context !== null) {
      works.set(actor, { subject: subjectOf(accountId, context, now()), run: null, told: null });
      return;
    }
    const [step, work] = [stepOf(actor.src), parent && works.get(parent)];
    const around = parent && contextOf(parent);
    if (step !== null && work !== undefined && around != null) {
      beginStep(actor, { step, work, context: around, input: 'input' in event ? event.input : null });
    }
  }

  function beginStep(
    actor: AnyActorRef,
    { step, work, context, input }: { step: Step; work: Work; context: SessionContext; input: unknown },
  ): void {
    const at = now();
    follow(work, context, at);
    if (!isOfRun(step)) endRun(work, at);
    const run = isOfRun(step) ? (work.run ??= beginRun(work.subject, context, at)) : null;
    const about =
      step === 'round'
        ? aboutRound(context)
        : step === 'call'
          ? aboutCall((input as { next: NextCall | null }).next)
          : { name: step, attributes: {} };
    if (run !== null && step === 'round') run.rounds += 1;
    if (run !== null && step === 'call') run.calls += 1;
    const span = pen.begin(work.subject, {
      ...about,
      step,
      at,
      isCall: step !== 'call',
      ...(run !== null && { within: run.span }),
    });
    if (run !== null) runs.set(span, run);
    steps.set(actor, { step, span, work });
  }

  const beginRun = (subject: Subject, context: SessionContext, at: number): OpenRun => ({
    span: pen.begin(subject, { ...aboutRun(subject, context), step: 'run', at }),
    rounds: 0,
    calls: 0,
    usage: null,
    problem: null,
    isCutOff: false,
  });

  function endStep(actor: AnyActorRef, { span, step, work }: OpenStep, event: object): void {
    steps.delete(actor);
    const problem = 'error' in event ? messageOf(event.error) : null;
    if (isOfRun(step) && work.run !== null) work.run.problem = problem;
    const outcome =
      step === 'call' && 'output' in event ? (event.output as { outcome: string }).outcome : null;
    pen.end(span, {
      at: now(),
      problem,
      attributes: {
        ...('error' in event && { 'error.type': kindOf(event.error) }),
        ...(outcome !== null && { 'mission_control.call.outcome': outcome }),
      },
    });
  }

  function endRun(work: Work, at: number): void {
    const { run } = work;
    if (run === null) return;
    work.run = null;
    pen.end(run.span, { at, problem: run.problem, attributes: endOfRun(run) });
  }

  /** A newer message in the row has a trace of its own. */
  function follow(work: Work, context: SessionContext, at: number): void {
    if (isOfVersion(work.subject, versionIn(context))) return;
    endRun(work, at);
    pen.whole(work.subject, { at, attributes: { 'mission_control.moved_on': true } });
    work.subject = subjectOf(accountId, context, at);
  }

  function cutOff(actor: AnyActorRef, { step, span, work }: OpenStep): void {
    steps.delete(actor);
    if (isOfRun(step) && work.run !== null) work.run.isCutOff = true;
    pen.end(span, { at: now(), attributes: { 'mission_control.cut_off': true } });
  }

  function takeSnapshot(actor: AnyActorRef, snapshot: object, stories: Known): void {
    const isStopped = 'status' in snapshot && snapshot.status === 'stopped';
    const step = steps.get(actor);
    if (step !== undefined && isStopped) cutOff(actor, step);
    const work = works.get(actor);
    const context = work && contextOf(actor);
    if (work === undefined || context == null || !('value' in snapshot)) return;
    follow(work, context, now());
    const story = storyOf(work.subject, stories);
    const path = statePaths(snapshot.value as string)[0] ?? '';
    if (isStopped || !/^working\.(?:running|acting)/.test(path)) endRun(work, now());
    tellWaits(work, story, stories);
  }

  /** Writes a span for the phase that has just ended, if it was a wait. */
  function tellWaits(work: Work, story: Story | undefined, stories: Known): void {
    const last = story?.phases.at(-1);
    if (story === undefined || last === undefined || last === work.told) return;
    const before = story.phases.at(-2);
    work.told = last;
    if (before !== undefined) writeWaits(work.subject, { from: before.at, to: last.at }, story, stories);
  }

  function writeWaits(
    subject: Subject,
    stretch: { from: number; to: number },
    story: Story,
    stories: Known,
  ): void {
    for (const { from, to, attributes } of waitsIn(stretch, story, stories)) {
      pen.end(pen.begin(subject, { name: 'wait', step: 'wait', at: from, attributes }), { at: to });
    }
  }

  function endWork(actor: AnyActorRef, work: Work, output: ChildOutput, stories: Known): void {
    works.delete(actor);
    const at = now();
    const story = storyOf(work.subject, stories);
    endRun(work, at);
    const last = story?.phases.at(-1);
    if (story !== undefined && last !== undefined)
      writeWaits(work.subject, { from: last.at, to: at }, story, stories);
    // The next list brings it again, to this process or to another one.
    if (output.outcome === 'handedBack') return;
    pen.whole(work.subject, {
      at,
      problem: FAILED.has(output.outcome) ? (output.reason ?? output.outcome) : null,
      attributes: {
        'mission_control.outcome': output.outcome,
        ...(output.outcome === 'skipped' && { 'mission_control.reason': output.reason ?? '' }),
        ...(output.kind === 'notification' && { 'mission_control.attempts': output.attempts }),
      },
    });
  }

  function tellListing(from: number, rows: NonNullable<ReturnType<typeof rowsOf>>, { memory }: Known): void {
    for (const { row } of rows) {
      const story = memory.get(row._id);
      const last = story?.phases.at(-1);
      // Most lists show again what is known.
      if (story === undefined || last?.phase !== 'listed' || listed.get(story) === last) continue;
      listed.set(story, last);
      const span = pen.begin(ofRow(accountId, row), { name: 'list', step: 'list', at: from, isCall: true });
      pen.end(span, { at: now(), attributes: { 'mission_control.list.rows': rows.length } });
    }
  }

  return {
    spanOf: (actor) => steps.get(actor)?.span,
    spent(round, usage) {
      const run = round && runs.get(round);
      round?.setAttributes(usageAttributes(usage));
      if (run !== undefined) run.usage = addUsage(run.usage, usage);
    },
    observe(event, stories) {
      if (event.type === '@xstate.event') takeEvent(event, stories);
      else if (event.type === '@xstate.snapshot')
        takeSnapshot(event.actorRef as AnyActorRef, event.snapshot, stories);
    },
  };
}

type Sent = Extract<InspectionEvent, { type: '@xstate.event' }>;

const FAILED: ReadonlySet<ChildOutput['outcome']> = new Set(['parked', 'unanswered', 'stuck', 'beatFailed']);

const storyOf = ({ id }: Subject, { memory }: Known): Story | undefined =>
  id === null ? undefined : memory.get(id);

/** A fault's message is one sentence for an operator. */
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const kindOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'kind' in error ? String(error.kind) : 'bug';
