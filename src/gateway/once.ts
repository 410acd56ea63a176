import type { ToolSchema } from '../../machines/shared/tools.ts';

/** Makes something of a list of tools once for each list, because the same lists go out with every round. */
export function onceFor<T>(make: (tools: readonly ToolSchema[]) => T): (tools: readonly ToolSchema[]) => T {
  const made = new WeakMap<readonly ToolSchema[], T>();
  return (tools) => {
    const known = made.get(tools);
    if (known !== undefined) return known;
    const fresh = make(tools);
    made.set(tools, fresh);
    return fresh;
  };
}
