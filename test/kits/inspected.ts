import { startRuntime, type RuntimeOptions, type RuntimeProcess } from './runtime.ts';

export interface InspectedRuntime extends RuntimeProcess {
  /** The inspector's. */
  port: number;
}

/** A runtime with its inspector on a free port. */
export async function startInspected(options: RuntimeOptions): Promise<InspectedRuntime> {
  const env = { INSPECTOR: 'on', INSPECTOR_PORT: '0', ...options.env };
  const runtime = await startRuntime({ ...options, env });
  const line = await runtime.waitForLog(
    'where the inspector is',
    ({ event }) => event === 'inspector.listening',
  );
  return { ...runtime, port: Number(new URL(String(line.url)).port) };
}
