import { createServer } from 'node:net';

/** A port that a part of the local stack is about to listen on. */
export interface Wanted {
  what: string;
  host: string;
  /** 0 takes any free one. */
  port: number;
  setting: string;
}

/** @returns one sentence for each port that cannot be listened on */
export async function takenPorts(wanted: readonly Wanted[]): Promise<string[]> {
  const answers = await Promise.all(
    wanted.map(async (one) => ({ ...one, free: await canListen(one.port, one.host) })),
  );
  return answers
    .filter(({ free }) => !free)
    .map(
      ({ what, port, setting }) =>
        `Port ${port} is taken, so ${what} cannot listen there: stop what holds it (another npm run dev?), or set ${setting}=0 for any free port.`,
    );
}

/** A value that is no port is left to the check of its setting. */
export function canListen(port: number, host: string): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    try {
      server.listen(port, host, () => server.close(() => resolve(true)));
    } catch {
      resolve(true);
    }
  });
}
