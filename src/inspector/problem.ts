/** Why the inspector is not there, with the setting that helps. */
export function messageOf(error: unknown, { host, port }: { host: string; port: number }): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${where} is taken: set INSPECTOR_PORT to a free port, or stop what listens there.`;
    case 'EACCES':
      return `This user may not open ${where}: set INSPECTOR_PORT to a port above 1023.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `This machine has no address ${host}: set INSPECTOR_HOST to one of its own, such as 127.0.0.1.`;
    case 'ERR_MODULE_NOT_FOUND':
      return 'This build has no inspector (dist/inspector.mjs is not there): set INSPECTOR=off, or build it with npm run build.';
    default:
      return `It failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}
