/** Writes spans. Times are milliseconds since the epoch. */
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import type { Identities, Identity } from './identity.ts';
import type { Step } from './steps.ts';
import type { Subject } from './subject.ts';

interface Beginning {
  name: string;
  /** What it is in our own words: `mission_control.step`. */
  step: Step | 'list' | 'wait' | 'run';
  at: number;
  /** Calls of the backend and the gateway are a client's. */
  isCall?: boolean;
  attributes?: Attributes;
  /** The span that it is in; the trace's own when absent. */
  within?: Span;
}

interface Ending {
  at: number;
  attributes?: Attributes;
  /** One sentence, where it failed. */
  problem?: string | null;
}

export interface Pen {
  begin(subject: Subject, beginning: Beginning): Span;
  end(span: Span, ending: Ending): void;
  /** The span that all others of the trace are in. */
  whole(subject: Subject, ending: Ending): void;
}

/** The attributes that hold sentences. All others are ids, numbers and our own words. */
const SENTENCES = ['mission_control.wait.reason', 'mission_control.reason'];

/** @param redact applied to every sentence */
export function createPen(tracer: Tracer, identities: Identities, redact: (text: string) => string): Pen {
  const redacted = (attributes: Attributes): Attributes => {
    const told = SENTENCES.filter((key) => key in attributes);
    return {
      ...attributes,
      ...Object.fromEntries(told.map((key) => [key, redact(String(attributes[key]))])),
    };
  };
  const end = (span: Span, { at, attributes = {}, problem = null }: Ending): void => {
    span.setAttributes(redacted(attributes));
    if (problem !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: redact(problem) });
    span.end(at);
  };
  return {
    begin(subject, { name, step, at, isCall = false, attributes = {}, within }) {
      const parent = within === undefined ? contextOf(subject.identity) : trace.setSpan(ROOT_CONTEXT, within);
      const kind = isCall ? SpanKind.CLIENT : SpanKind.INTERNAL;
      const told = { 'mission_control.step': step, ...redacted(attributes) };
      return tracer.startSpan(name, { kind, startTime: at, attributes: told }, parent);
    },
    end,
    whole({ identity, name, from, attributes }, ending) {
      // Two clocks may differ: a message is not older than the moment that it was created.
      const startTime = Math.min(from, ending.at);
      const span = identities.as(identity, () =>
        tracer.startSpan(name, { startTime, attributes }, ROOT_CONTEXT),
      );
      end(span, ending);
    },
  };
}

const contextOf = (identity: Identity): Context =>
  trace.setSpanContext(ROOT_CONTEXT, { ...identity, traceFlags: TraceFlags.SAMPLED });
