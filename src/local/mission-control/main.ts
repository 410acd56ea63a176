/**
 * The local Mission Control: `node src/local/mission-control/main.ts [--port N] [--extra-tasks N]`.
 * Exit codes: 0 told to stop, 78 a setting is wrong, 71 it cannot serve.
 */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';

// A start takes half as long with code that an earlier start has compiled. Where that code cannot be stored, the start
// goes on without it.
enableCompileCache(join(import.meta.dirname, '../../../node_modules/.cache/mission-control'));
const { serve } = await import('./serve.ts');
await serve();
// It may be killed.
flushCompileCache();
