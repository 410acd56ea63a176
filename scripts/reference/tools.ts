import { catalog } from '../../src/tools/catalog/catalog.ts';
import { code, table } from './table.ts';

/** The tools of docs/agents.md: what each is for, who has it, and what it takes. */
export function toolsTable(): string {
  const rows = catalog.map(({ name, description, gate, kind, fields }) => [
    code(name),
    kind,
    gate.text,
    Object.keys(fields).map(code).join(', '),
    description,
  ]);
  return table([['tool', 'kind', 'offered to', 'parameters', 'what the agent is told of it'], ...rows]);
}
