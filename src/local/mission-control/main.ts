/**
 * The local Mission Control: `node src/local/mission-control/main.ts [--port N] [--extra-tasks N]`.
 * Exit codes: 0 told to stop, 78 a setting is wrong, 71 it cannot serve.
 */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';

// A start takes half as long with the code that an earlier one has compiled. Where it cannot be kept, none is.
enableCompileCache(join(import.meta.dirname, '../../../node_modules/.cache/mission-control'));
const { serve } = await import('./serve.ts');
await serve();
// It may be killed.
flushCompileCache();
