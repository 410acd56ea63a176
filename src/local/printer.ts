import type { WriteStream } from 'node:tty';

const COLOURS: Record<string, number> = { backend: 35, gateway: 33, runtime: 36, dev: 32 };

/** Writes lines with the name of the process that said them in front; in colour on a terminal. */
export function createPrinter(stream: WriteStream): (source: string, line: string) => void {
  const colour = stream.isTTY && !process.env.NO_COLOR;
  return (source, line) => {
    const name = source.padEnd(7);
    const prefix = colour ? `\u001b[${COLOURS[source] ?? 0}m${name}\u001b[0m` : name;
    stream.write(`${prefix} │ ${line}\n`);
  };
}
