/** A recording as `npm run record` writes it: a head with the picture, then an entry on each line. */
import type { Entry, Picture, StatusView } from '../wire.ts';
import { apply, createModel, type Model } from './model.ts';

export interface Recording {
  picture: Picture;
  entries: readonly Entry[];
  /** Milliseconds since the epoch. */
  begin: number;
  end: number;
}

/** @throws Error with a sentence for whoever chose the file */
export function readRecording(text: string): Recording {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const [head, ...entries] = lines.map((line, i) => parseLine(line, i, lines.length));
  if (!isHead(head)) throw new Error('This is no recording of the inspector: npm run record makes one.');
  const picture = completed(head.picture);
  const told = entries.filter(isEntry);
  return { picture, entries: told, begin: picture.at, end: Math.max(picture.at, told.at(-1)?.at ?? 0) };
}

/** A recording of version 1 has no past, no titles, no problems beside the reason, and no open runs. */
type WrittenPicture = Omit<Picture, 'past' | 'status'> & {
  past?: Picture['past'];
  status: Omit<StatusView, 'problems' | 'runs'> & Partial<Pick<StatusView, 'problems' | 'runs'>>;
};

const completed = (picture: WrittenPicture): Picture => ({
  ...picture,
  past: picture.past ?? { lines: {}, samples: [] },
  status: { ...picture.status, problems: picture.status.problems ?? [], runs: picture.status.runs ?? [] },
});

function parseLine(line: string, index: number, total: number): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    // A recording that was cut off is good up to there.
    if (index > 0 && index === total - 1) return null;
    throw new Error(`This is no recording of the inspector: line ${index + 1} is not JSON.`);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const isHead = (value: unknown): value is { picture: WrittenPicture } =>
  isObject(value) && value.recording === 1 && isObject(value.picture) && Array.isArray(value.picture.actors);

const isEntry = (value: unknown): value is Entry =>
  isObject(value) &&
  typeof value.seq === 'number' &&
  typeof value.at === 'number' &&
  typeof value.kind === 'string';

/** The model at a moment of a recording. Moving forward is cheap; moving back starts from the beginning. */
export function createPlayback(recording: Recording): {
  at(time: number): { model: Model; news: readonly Entry[] };
} {
  let model = createModel({ picture: recording.picture, history: [] });
  let next = 0;
  let last = recording.begin;
  return {
    at(time) {
      const isBack = time < last;
      if (isBack) {
        model = createModel({ picture: recording.picture, history: [] });
        next = 0;
      }
      last = time;
      const first = next;
      for (
        let entry = recording.entries[next];
        entry !== undefined && entry.at <= time;
        entry = recording.entries[next]
      ) {
        apply(model, entry);
        next += 1;
      }
      return { model, news: isBack ? [] : recording.entries.slice(first, next) };
    },
  };
}
