/**
 * dist/main.js: starts the bundle. The bundle is CommonJS, because importing node:http from a module also starts Node's
 * own fetch. Its compiled code is kept beside it (scripts/build.ts and the image fill that folder; where it cannot be
 * written or read, the start takes some 30 ms longer). An old Node is told so in one sentence.
 */
import nodeModule from 'node:module';
import process from 'node:process';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `The runtime needs Node 24, and this is Node ${process.versions.node}: start it with npm start in a checkout, which uses the Node that npm ci installs, or install Node 24 (https://nodejs.org).\n`,
  );
  process.exitCode = 78;
} else {
  nodeModule.enableCompileCache(`${import.meta.dirname}/compile-cache`);
  nodeModule.createRequire(import.meta.url)('./runtime.cjs');
}
