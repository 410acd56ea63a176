import { statfs } from 'node:fs/promises';

/** @returns the bytes that this process may still write below the directory; NaN when the system cannot tell */
export async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    // Prometheus draws no line for NaN and compares it with nothing.
    return Number.NaN;
  }
}
