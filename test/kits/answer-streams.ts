/** Streams of OpenResponses for tests: their events, and a grammar of streams that make their text known. */
import fc from 'fast-check';

export const event = (fields: object): string => `data: ${JSON.stringify(fields)}\n\n`;
export const CREATED = event({ type: 'response.created', response: { status: 'in_progress' } });
export const DONE = 'data: [DONE]\n\n';

export const delta = (text: string): string => event({ type: 'response.output_text.delta', delta: text });
/** An event of the type `response.<type>`. */
export const typed = (type: string, fields: object = {}): string =>
  event({ type: `response.${type}`, ...fields });
export const message = (...content: object[]): object => ({ type: 'message', role: 'assistant', content });
export const text = (said: string): object => ({ type: 'output_text', text: said });
export const refusal = (said: string): object => ({ type: 'refusal', refusal: said });
export const completed = (...output: object[]): string =>
  typed('completed', { response: { object: 'response', status: 'completed', output } });

/** A stream in pieces, and the text that it makes known. */
export interface Sample {
  pieces: string[];
  said: string;
}

/** What may stand between any two events. */
const noise = fc.constantFrom(
  ': ping\n\n',
  'data:\n\n',
  'data: null\n\n',
  'data: 123\n\n',
  'data: []\n\n',
  'data: {}\n\n',
  'data: ping\n\n',
  'event: ping\ndata: 7\n\n',
  'event: keepalive\n\n',
  'data: {"type":\n\n',
  'id: 3\nretry: 9\n\n',
  typed('in_progress'),
  typed('unheard_of', { delta: 'x', item: { id: 'x' } }),
  typed('reasoning_text.delta', { delta: 'hm' }),
);

/** How the events of a stream name the item that they are about. */
const names = fc.constantFrom(
  {},
  { output_index: 0 },
  { item_id: 'm1' },
  { output_index: 0, content_index: 0, item_id: 'm1' },
);

/** The events that end a text, an item and the response; at least one of them makes the text known. */
const ends = fc
  .record({
    deltas: fc.boolean(),
    finished: fc.shuffledSubarray(['text', 'part', 'item'] as const),
    end: fc.constantFrom('full', 'empty', 'bare', 'cut', 'none'),
    mark: fc.boolean(),
  })
  .filter(
    ({ deltas, finished, end, mark }) =>
      end === 'full' || end === 'cut' || finished.length > 0 || (deltas && (end !== 'none' || mark)),
  );

const tellOf = (words: fc.Arbitrary<string>): fc.Arbitrary<Sample> =>
  fc
    .record({
      said: words,
      isRefusal: fc.boolean(),
      parts: fc.integer({ min: 1, max: 5 }),
      names,
      ends,
      head: fc.boolean(),
    })
    .map(({ said, isRefusal, parts, names: named, ends: { deltas, finished, end, mark }, head }): Sample => {
      const kind = isRefusal ? 'refusal' : 'output_text';
      const content = isRefusal ? refusal(said) : text(said);
      const item = { id: 'm1', ...message(content) };
      const units = Array.from(said);
      const step = Math.ceil(units.length / parts);
      const word = (at: number): string => units.slice(at * step, (at + 1) * step).join('');
      const isIncomplete = { status: 'incomplete', output: [item] };
      const endings = {
        full: [completed(item)],
        empty: [completed()],
        bare: [typed('completed')],
        cut: [typed('incomplete', { response: isIncomplete })],
        none: [],
      };
      const finishing = {
        text: typed(`${kind}.done`, { [isRefusal ? 'refusal' : 'text']: said, ...named }),
        part: typed('content_part.done', { part: content, ...named }),
        item: typed('output_item.done', { item, output_index: 0 }),
      };
      const pieces = [
        ...(head
          ? [CREATED, typed('output_item.added', { item: { id: 'm1', type: 'message' }, output_index: 0 })]
          : []),
        ...(deltas
          ? Array.from({ length: parts }, (_, at) => typed(`${kind}.delta`, { delta: word(at), ...named }))
          : []),
        ...finished.map((name) => finishing[name]),
        ...endings[end],
        ...(mark ? [DONE] : []),
      ];
      return { pieces, said };
    });

/** One way of writing an event: as one line, over several lines, or with its name on a line of its own. */
const spelled = (piece: string, spelling: number): string => {
  const json = /^data: (\{.*\})\n\n$/.exec(piece)?.[1];
  if (json === undefined || spelling === 0) return piece;
  const fields = JSON.parse(json) as { type?: string };
  if (spelling === 1) return `event: ${fields.type ?? 'message'}\n${piece}`;
  const lines = JSON.stringify(fields, null, 1).split('\n');
  return `${lines.map((line) => `data:${line}`).join('\n')}\n\n`;
};

export interface Wire {
  /** The body in pieces, cut at any byte. */
  chunks: Buffer[];
  said: string;
  /** What happens after the last byte: the body ends, or its connection breaks. */
  breaks: boolean;
}

/** Streams as they may come: any order of the endings, noise, line ends, and cuts at any byte. */
export const wiresOf = (words: fc.Arbitrary<string>): fc.Arbitrary<Wire> =>
  fc
    .record({
      sample: tellOf(words),
      between: fc.array(fc.option(noise, { freq: 3, nil: '' }), { minLength: 20, maxLength: 20 }),
      spellings: fc.array(fc.nat({ max: 2 }), { minLength: 20, maxLength: 20 }),
      lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
      bom: fc.boolean(),
      open: fc.boolean(),
      tail: fc.constantFrom('', '', '{oops\n\n', ': bye\n\n', 'data: {"type":"response.outp'),
      breaks: fc.boolean(),
      cuts: fc.array(fc.nat(), { maxLength: 12 }),
    })
    .map(({ sample: { pieces, said }, between, spellings, lineEnd, bom, open, tail, breaks, cuts }) => {
      const noisy = pieces
        .map((piece, at) => (between[at] ?? '') + spelled(piece, spellings[at] ?? 0))
        .join('');
      const body = open && tail === '' && !breaks ? noisy.trimEnd() : noisy + tail;
      const bytes = Buffer.from((bom ? '\uFEFF' : '') + body.replaceAll('\n', lineEnd));
      const places = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
      const chunks = places.slice(1).map((place, at) => bytes.subarray(places[at], place));
      return { chunks, said, breaks };
    });
