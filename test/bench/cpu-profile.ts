/** Reads what `node --cpu-prof` wrote: where a bundled process spent its time, by the files it was bundled from. */
import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';

interface CallFrame {
  functionName: string;
  url: string;
  lineNumber: number;
  columnNumber: number;
}

interface CpuProfile {
  nodes: { id: number; callFrame: CallFrame }[];
  samples: number[];
  /** Microseconds before each sample. */
  timeDeltas: number[];
}

export interface Spent {
  /** The package, or the folder of ours: `xstate`, `src/journal`, `machines/lane`; `node` for Node's own. */
  area: string;
  /** The function's name. */
  name: string;
  /** Of all time that the process was at work, 0 to 1. */
  share: number;
}

const NOT_AT_WORK = new Set(['(idle)', '(root)']);

/** Time spent in each function itself, the most first. @param mapPath of the bundle's source map */
export function readCpuProfile(path: string, mapPath: string): Spent[] {
  const profile = JSON.parse(readFileSync(path, 'utf8')) as CpuProfile;
  const map = new SourceMap(JSON.parse(readFileSync(mapPath, 'utf8')) as SourceMapPayload);
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const spent = new Map<string, { area: string; name: string; us: number }>();
  let total = 0;
  for (const [n, id] of profile.samples.entries()) {
    const frame = frames.get(id);
    if (frame === undefined || NOT_AT_WORK.has(frame.functionName)) continue;
    const us = profile.timeDeltas[n] ?? 0;
    total += us;
    const area = areaOf(frame, map);
    const name = frame.functionName === '' ? 'anonymous' : frame.functionName;
    const entry = spent.get(`${area} ${name}`) ?? { area, name, us: 0 };
    entry.us += us;
    spent.set(`${area} ${name}`, entry);
  }
  return [...spent.values()]
    .map(({ area, name, us }) => ({ area, name, share: us / total }))
    .sort((a, b) => b.share - a.share);
}

function areaOf({ url, lineNumber, columnNumber, functionName }: CallFrame, map: SourceMap): string {
  if (functionName === '(garbage collector)') return 'gc';
  if (!url.endsWith('/runtime.cjs')) return 'node';
  const entry = map.findEntry(lineNumber, columnNumber);
  const source = 'originalSource' in entry ? entry.originalSource : '';
  const [, ofPackage] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source) ?? [];
  const [, ofOurs] = /((?:src|machines)(?:\/[^/]+)?)\/[^/]+$/.exec(source) ?? [];
  return ofPackage ?? ofOurs ?? 'bundle';
}
