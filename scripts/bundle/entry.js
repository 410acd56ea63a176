/**
 * dist/main.js: starts the bundle. That is CommonJS, since importing node:http from a module also starts Node's own
 * fetch, and its compiled code is kept beside it (scripts/build.ts and the image fill that folder; where it cannot be
 * written or read, the start takes some 30 ms longer).
 */
import { createRequire, enableCompileCache } from 'node:module';

enableCompileCache(`${import.meta.dirname}/compile-cache`);
createRequire(import.meta.url)('./runtime.cjs');
