/** The parts of docs/reference, and of docs/agents.md, that are generated from the code, each between two markers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { helpTexts, scriptsTable } from './commands.ts';
import { exitCodesTable } from './exit-codes.ts';
import { loggingTable } from './logging.ts';
import { metricsTable } from './metrics.ts';
import { retiredTable, settingsTable } from './settings.ts';
import { toolsTable } from './tools.ts';

export interface Part {
  page: string;
  /** Its markers are `<!-- name:begin -->` and `<!-- name:end -->`. */
  name: string;
  make: () => string | Promise<string>;
}

export const PARTS: readonly Part[] = [
  { page: 'settings.md', name: 'settings', make: settingsTable },
  { page: 'settings.md', name: 'retired', make: retiredTable },
  { page: 'exit-codes.md', name: 'exit-codes', make: exitCodesTable },
  { page: 'metrics.md', name: 'metrics', make: metricsTable },
  { page: 'logging.md', name: 'events', make: loggingTable },
  { page: 'commands.md', name: 'scripts', make: scriptsTable },
  { page: 'commands.md', name: 'help', make: helpTexts },
  { page: '../agents.md', name: 'tools', make: toolsTable },
];

export const pathOf = (page: string): string => join(import.meta.dirname, '../../docs/reference', page);

export const readPage = (page: string): string => readFileSync(pathOf(page), 'utf8');

/**
 * @param text a page with both markers
 * @returns the same page with this between them
 */
export function withPart(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The page needs ${begin} and, after it, ${end}.`);
  return `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`;
}
