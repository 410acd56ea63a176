import { helpText, versionText } from './help.ts';

export type Command =
  | { kind: 'run' }
  | { kind: 'help'; text: string }
  | { kind: 'version'; text: string }
  /** The command line is wrong; the process should print the message and exit with 78. */
  | { kind: 'usage'; message: string };

/** @param argv the arguments after the script's name */
export function parseArgs(argv: readonly string[]): Command {
  if (argv.some((arg) => arg === '--help' || arg === '-h')) return { kind: 'help', text: helpText() };
  if (argv.some((arg) => arg === '--version' || arg === '-v')) return { kind: 'version', text: versionText };
  const [unknown] = argv;
  if (unknown === undefined) return { kind: 'run' };
  return {
    kind: 'usage',
    message: `Unknown argument${nameOf(unknown)}: the runtime takes its settings from the environment; --help lists them.`,
  };
}

/** The option without its value: what follows `=`, or stands alone, may be a secret. */
function nameOf(arg: string): string {
  const option = /^--?[a-z][a-z-]{0,40}(?==|$)/i.exec(arg)?.[0];
  return option === undefined ? '' : ` ${option}`;
}
