import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger, RunRecord } from './ledger.ts';
import type { SessionQueue } from './queue.ts';
import type { Plan } from './reply.ts';
import type { RunOrder } from './request.ts';
import { calling, completed, failed, newResource, sendEvent, sendJson } from './wire.ts';
import type { Resource } from './wire.ts';

interface Run {
  order: RunOrder;
  plan: Plan;
  record: RunRecord;
  ledger: Ledger;
  response: ServerResponse;
  resource: Resource;
  /** Aborts when the client has gone. */
  signal: AbortSignal;
}

/** Takes a run in and plays it when its session is free. The first event goes out at once, as OpenClaw's does. */
export async function playRun(task: Omit<Run, 'resource' | 'signal'>, inLine: SessionQueue): Promise<void> {
  const { order, record, response } = task;
  const gone = new AbortController();
  const run: Run = { ...task, resource: newResource(order.model), signal: gone.signal };
  response.on('close', () => gone.abort());
  if (order.stream) {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
    });
    sendEvent(response, 'response.created', { response: run.resource });
    sendEvent(response, 'response.in_progress', { response: run.resource });
  }
  try {
    await inLine(record.sessionKey, () => play(run));
  } catch (error) {
    // A client that leaves ends its run, wherever it was.
    if (!gone.signal.aborted) throw error;
  }
}

async function play(run: Run): Promise<void> {
  const { order, plan, signal } = run;
  signal.throwIfAborted();
  if (plan.delayMs > 0) await sleep(plan.delayMs, undefined, { signal });
  if (plan.outcome === 'hang') await new Promise((_, reject) => signal.addEventListener('abort', reject));
  if (plan.outcome === 'fail') {
    finish(run, failed(run.resource, order.broken ?? undefined), 'failed');
    return;
  }
  if (plan.calls.length > 0) {
    finish(run, calling(run.resource, plan.calls), 'completed');
    return;
  }
  if (order.stream) await sendText(run);
  if (plan.outcome === 'reset') {
    reset(run);
    return;
  }
  finish(run, completed(run.resource, plan.text), 'completed');
}

async function sendText({ response, plan, signal }: Run): Promise<void> {
  const pieces = plan.gapMs > 0 ? Array.from(plan.text) : [plan.text];
  for (const delta of pieces) {
    if (plan.gapMs > 0) await sleep(plan.gapMs, undefined, { signal });
    sendEvent(response, 'response.output_text.delta', { output_index: 0, content_index: 0, delta });
  }
}

/** Resets the connection after the written part has left, so that the client sees a run that began. */
function reset({ response, ledger, record }: Run): void {
  ledger.end(record, 'reset');
  response.write(': cut\n\n', () => response.destroy());
}

/** The record ends before the answer, so that a client that has read the answer finds the session free. */
function finish(
  { order, response, ledger, record }: Run,
  resource: Resource,
  outcome: 'completed' | 'failed',
): void {
  ledger.end(record, outcome);
  if (!order.stream) {
    sendJson(response, outcome === 'failed' ? 500 : 200, resource);
    return;
  }
  sendEvent(response, `response.${outcome}`, { response: resource });
  response.end('data: [DONE]\n\n');
}
