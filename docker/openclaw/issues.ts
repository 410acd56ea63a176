/** Reads what `openclaw config validate --json` says and prints its issues, one a line; anything else it drops. */
import { text } from 'node:stream/consumers';

const said = await text(process.stdin);
const report = /\{[^]*\}/.exec(said)?.[0];
let lines: string[] = [];
try {
  const { issues } = JSON.parse(report ?? '{}') as { issues?: { path?: unknown; message?: unknown }[] };
  lines = (issues ?? []).map(({ path, message }) => `  ${String(path)}: ${String(message)}`);
} catch {
  // Not the report that is expected.
}
process.stdout.write(
  lines.length > 0 ? `${lines.join('\n')}\n` : '  it gives no reason; run `openclaw doctor`\n',
);
