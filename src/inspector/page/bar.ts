/** The top: overall status with its reason, the counters, and deliveries over time. */
import { byId, setAttribute, setText } from './dom.ts';
import { count } from './format.ts';
import { toneOfStatus } from '../tone.ts';
import type { Sample } from '../wire.ts';
import type { Model } from './model.ts';

export interface Bar {
  draw(model: Model | null, now: number, connection: Connection): void;
}

export type Connection = 'connecting' | 'live' | 'lost' | 'recording';

const SPARK_MS = 120_000;
const BUCKETS = 60;

const CONNECTION: Record<Connection, string> = {
  connecting: 'connecting',
  live: 'live',
  lost: 'no connection, trying again',
  recording: 'recording',
};

export function createBar(): Bar {
  const status = byId('status', HTMLElement);
  const reason = byId('reason', HTMLElement);
  const connection = byId('connection', HTMLElement);
  const spark = byId('spark', HTMLCanvasElement);
  const rate = byId('rate', HTMLElement);

  return {
    draw(model, now, link) {
      setText(connection, CONNECTION[link]);
      connection.dataset.link = link;
      if (model === null) return;
      const { left, samples } = model;
      setText(status, left === null ? model.status.status : 'left');
      status.dataset.tone = left === null ? toneOfStatus(model.status.status) : 'over';
      const words = left === null ? model.status.reason : `${left.reason} (exit code ${left.exitCode})`;
      setText(reason, words);
      reason.title = words;
      for (const name of ['delivered', 'failed', 'parked', 'inFlight', 'queued'] as const) {
        const counter = byId(`count-${name}`, HTMLElement);
        setText(counter, count(model.status[name]));
        counter.classList.toggle('some', model.status[name] > 0);
      }
      const buckets = perBucket(samples, now);
      paint(spark, buckets);
      const total = buckets.reduce((sum, value) => sum + value, 0);
      setText(rate, `${count(total)} in 2 min`);
      setAttribute(spark, 'aria-label', `${total} deliveries in the last two minutes`);
    },
  };
}

/** Deliveries in each piece of the last two minutes. */
export function perBucket(samples: readonly Sample[], now: number): number[] {
  const buckets = Array.from({ length: BUCKETS }, () => 0);
  samples.forEach(({ at, delivered }, i) => {
    const before = samples[i - 1]?.delivered ?? delivered;
    const bucket = BUCKETS - 1 - Math.floor(((now - at) / SPARK_MS) * BUCKETS);
    if (bucket >= 0 && bucket < BUCKETS)
      buckets[bucket] = (buckets[bucket] ?? 0) + Math.max(0, delivered - before);
  });
  return buckets;
}

function paint(canvas: HTMLCanvasElement, values: readonly number[]): void {
  const ratio = window.devicePixelRatio;
  const [width, height] = [canvas.clientWidth * ratio, canvas.clientHeight * ratio];
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) return;
  const most = Math.max(1, ...values);
  const step = width / values.length;
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(canvas).color;
  values.forEach((value, i) => {
    const tall = value === 0 ? ratio : Math.max(ratio * 2, (value / most) * height);
    context.fillRect(i * step, height - tall, Math.max(1, step - ratio), tall);
  });
}
