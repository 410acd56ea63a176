import type { BackendKind } from '../kits/stack.ts';

/** Set by `npm run faults -- --backend`, for the tests that it runs. */
export const VARIABLE = 'FAULTS_BACKEND';

export const BACKEND: BackendKind = process.env[VARIABLE] === 'extended' ? 'extended' : 'plain';
