import { freePort } from './free-port.ts';
import { canListen } from './ports.ts';

export interface DevInspector {
  env: NodeJS.ProcessEnv;
  /** null when it is off. */
  url: string | null;
}

/**
 * The inspector is on in development. If its port is taken, most likely by another `npm run dev`, it takes a free one.
 */
export async function chooseInspector(say: (line: string) => void): Promise<DevInspector> {
  const { NODE_ENV, INSPECTOR = NODE_ENV === 'production' ? 'off' : 'on' } = process.env;
  const { INSPECTOR_HOST: host = '127.0.0.1', INSPECTOR_PORT: asked = '9230' } = process.env;
  // A wrong value is left to the runtime, which refuses it.
  if (INSPECTOR !== 'on') return { env: { INSPECTOR }, url: null };
  const isFree = asked !== '0' && (await canListen(Number(asked), host));
  const port = isFree ? asked : String(await freePort());
  if (!isFree && asked !== '0') say(`port ${asked} is taken, so the inspector is on ${port}`);
  return { env: { INSPECTOR, INSPECTOR_PORT: port }, url: `http://${host}:${port}/` };
}
