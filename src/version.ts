import { readFileSync } from 'node:fs';

/** Baked in by scripts/build.ts; absent when the sources run as they are. */
declare const __RUNTIME_VERSION__: string | undefined;

function versionOfPackage(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) {
    if (typeof manifest.version === 'string') return manifest.version;
  }
  throw new Error('package.json has no version: the runtime cannot tell which version it is.');
}

/** The version of this build, as package.json gives it. */
export const runtimeVersion: string =
  typeof __RUNTIME_VERSION__ === 'string' ? __RUNTIME_VERSION__ : versionOfPackage();
