/** The health server cannot listen; its message names the setting to change. */
export class BindError extends Error {
  override readonly name = 'BindError';
  /** The system's code, such as EADDRINUSE. */
  readonly code: string;

  constructor(host: string, port: number, cause: unknown) {
    const code = codeOf(cause);
    const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    super(`The health server cannot listen on ${where}: ${adviceFor(code)}`, { cause });
    this.code = code;
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return 'UNKNOWN';
}

function adviceFor(code: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'the port is taken. Stop what listens there, or set HEALTH_PORT to a free port.';
    case 'EACCES':
      return 'this user may not open that port. Set HEALTH_PORT to a port above 1023.';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address. Set HEALTH_HOST to one of its own, such as 127.0.0.1.';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the name has no address. Set HEALTH_HOST to an address of this machine, such as 127.0.0.1.';
    default:
      return `${code}. Check HEALTH_HOST and HEALTH_PORT.`;
  }
}
