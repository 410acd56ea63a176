import { build } from 'esbuild';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { runtimeVersion } from './version.ts';

it('is the version of package.json when the sources run as they are', () => {
  expect(runtimeVersion).toBe(manifest.version);
});

it('is what the build baked in', async () => {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'version.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    define: { __RUNTIME_VERSION__: '"7.8.9"' },
  });
  const code = outputFiles[0]?.text ?? '';
  const built: unknown = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  expect(built).toMatchObject({ runtimeVersion: '7.8.9' });
});
