/** Profiles a bundled process that was started with `--inspect`: where it spends its time, by the files it was bundled from. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { WebSocket } from 'ws';

interface CallFrame {
  functionName: string;
  url: string;
  lineNumber: number;
  columnNumber: number;
}

interface ProfileNode {
  id: number;
  callFrame: CallFrame;
  children?: number[];
}

interface CpuProfile {
  nodes: ProfileNode[];
  samples: number[];
  /** Microseconds before each sample. */
  timeDeltas: number[];
}

export interface Spent {
  /**
   * The package, or the folder of ours: `xstate`, `src/journal`, `machines/notification`. What Node's own functions take is
   * their caller's; `node` is what nobody called.
   */
  area: string;
  /** The function's name. */
  name: string;
  /** Of all time that the process was at work, 0 to 1. */
  share: number;
}

const NOT_AT_WORK = new Set(['(idle)', '(root)']);

/**
 * Profiles a process while the work goes on.
 * @param port its inspector's
 * @param mapPath of the bundle's source map
 * @returns time spent in each function itself, the most first
 */
export async function profileWhile(
  port: number,
  mapPath: string,
  work: () => Promise<unknown>,
): Promise<Spent[]> {
  const [target] = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as [
    { webSocketDebuggerUrl: string },
  ];
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await once(socket, 'open');
  let id = 0;
  const ask = async (method: string): Promise<unknown> => {
    id += 1;
    socket.send(JSON.stringify({ id, method }));
    for (;;) {
      const [message] = (await once(socket, 'message')) as [Buffer];
      const answer = JSON.parse(message.toString()) as { id?: number; result?: unknown };
      if (answer.id === id) return answer.result;
    }
  };
  try {
    await ask('Profiler.enable');
    await ask('Profiler.start');
    await work();
    const { profile } = (await ask('Profiler.stop')) as { profile: CpuProfile };
    return spentIn(profile, mapPath);
  } finally {
    socket.terminate();
  }
}

function spentIn(profile: CpuProfile, mapPath: string): Spent[] {
  const map = new SourceMap(JSON.parse(readFileSync(mapPath, 'utf8')) as SourceMapPayload);
  const areas = areasOf(profile.nodes, map);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const spent = new Map<string, { area: string; name: string; us: number }>();
  let total = 0;
  for (const [n, id] of profile.samples.entries()) {
    const { functionName = '(root)' } = nodes.get(id)?.callFrame ?? {};
    if (NOT_AT_WORK.has(functionName)) continue;
    const us = profile.timeDeltas[n] ?? 0;
    total += us;
    const area = areas.get(id) ?? 'node';
    const name = functionName === '' ? 'anonymous' : functionName;
    const entry = spent.get(`${area} ${name}`) ?? { area, name, us: 0 };
    entry.us += us;
    spent.set(`${area} ${name}`, entry);
  }
  return [...spent.values()]
    .map(({ area, name, us }) => ({ area, name, share: us / total }))
    .sort((a, b) => b.share - a.share);
}

/** Of each node of the tree; callers come before what they call. */
function areasOf(nodes: readonly ProfileNode[], map: SourceMap): Map<number, string> {
  const areas = new Map<number, string>();
  const callers = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  for (const { id, callFrame } of nodes) {
    areas.set(id, areaOf(callFrame, map) ?? areas.get(callers.get(id) ?? 0) ?? 'node');
  }
  return areas;
}

/** null for Node's own functions. */
function areaOf({ url, lineNumber, columnNumber, functionName }: CallFrame, map: SourceMap): string | null {
  if (functionName === '(garbage collector)') return 'gc';
  if (!url.endsWith('/runtime.cjs')) return null;
  const entry = map.findEntry(lineNumber, columnNumber);
  const source = 'originalSource' in entry ? entry.originalSource : '';
  const [, ofPackage] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source) ?? [];
  const [, ofOurs] = /((?:src|machines)(?:\/[^/]+)?)\/[^/]+$/.exec(source) ?? [];
  return ofPackage ?? ofOurs ?? 'bundle';
}
