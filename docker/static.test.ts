/** What can be said of the stack's files without an engine: rules in the manner of hadolint, and complete settings. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { settingNotes } from '../src/config/settings.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Instructions with their lines joined, comments left out. */
const instructionsOf = (path: string): string[] =>
  read(path)
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n');

/** Its jobs need what a user does not have, and say why. */
const ROOT_ALLOWED = 'docker/convex/Dockerfile';

describe.each(globSync('docker/*/Dockerfile', { cwd: ROOT }))('%s', (path) => {
  const lines = instructionsOf(path);
  const those = (name: string): string[] => lines.filter((line) => line.startsWith(`${name} `));

  test('begins with a pinned image that can be had without asking a registry for a syntax', () => {
    expect(read(path)).not.toMatch(/^#\s*syntax=/m);
    expect(lines[0]).toBe('ARG NODE_IMAGE=node:24-bookworm-slim');
    for (const line of those('FROM')) expect(line).toMatch(/^FROM \$\{NODE_IMAGE\}( AS [a-z]+)?$/);
  });

  test('ends as a user without rights, with a command that gets the signals', () => {
    if (path !== ROOT_ALLOWED) expect(those('USER').at(-1)).toBe('USER node');
    for (const line of [...those('CMD'), ...those('ENTRYPOINT')]) expect(line).toMatch(/^\w+ \["/);
    for (const line of those('HEALTHCHECK')) expect(line).toMatch(/CMD \["node", "-e", "/);
    expect(those('CMD')).toHaveLength(1);
  });

  test('copies and does not fetch, installs what is pinned and leaves no lists', () => {
    expect(lines.filter((line) => /^(ADD|MAINTAINER|ONBUILD) /.test(line))).toEqual([]);
    for (const line of those('WORKDIR')) expect(line).toMatch(/^WORKDIR \//);
    for (const line of those('RUN')) {
      expect(line).not.toMatch(/\bsudo\b|\bcurl\b|\bwget\b|apt-get upgrade|apt install|\bcd \//);
      if (line.includes('apt-get install')) {
        expect(line).toMatch(
          /apt-get update .*install -y --no-install-recommends .*rm -rf \/var\/lib\/apt\/lists/,
        );
      }
      if (line.includes('npm install')) expect(line).toMatch(/@\$OPENCLAW_VERSION"|npm ci/);
    }
    expect(lines.filter((line) => /(TOKEN|SECRET|PASSWORD|API_KEY)=/.test(line))).toEqual([]);
  });
});

test("the runtime's image has the version of the package, where nobody gives another", () => {
  for (const path of ['docker/runtime/Dockerfile', 'docker-compose.yml']) {
    const versions = [...read(path).matchAll(/\bVERSION(?:=|:-)(\d+\.\d+\.\d+)/g)].map(
      ([, version]) => version,
    );
    expect(new Set(versions)).toEqual(new Set([manifest.version]));
  }
  // A version there would stay behind in everybody's .env when the checkout's moves on.
  expect(read('.env.example')).toMatch(/^VERSION=$/m);
});

test('.env.example has every variable of the stack, each once, each with one comment, and no other', () => {
  const files = read('docker-compose.yml') + read('docker-compose.dev.yml');
  const used = [...files.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name ?? '');
  const example = read('.env.example').split('\n');
  const told = example.flatMap((line) => /^([A-Z_]+)=/.exec(line)?.[1] ?? []);
  expect(told).toEqual([...new Set(told)]);
  const ofCompose = ['COMPOSE_PROFILES', 'COMPOSE_PROJECT_NAME'];
  expect(told.toSorted()).toEqual([...new Set([...used, ...ofCompose])].toSorted());
  for (const [n, line] of example.entries()) {
    if (/^[A-Z_]+=/.test(line))
      expect([line, example[n - 1]]).toEqual([line, expect.stringMatching(/^# \S/)]);
  }
});

/** Settings that the image or docker-compose.dev.yml decides: nobody sets them for the stack. */
const OF_THE_IMAGE = ['HEALTH_HOST', 'STATE_DIR'];
const OF_DEV = ['INSPECTOR', 'INSPECTOR_HOST', 'INSPECTOR_PORT', 'INSPECTOR_IN_PRODUCTION'];

test('every setting of the runtime goes through compose and stands in .env.example, and no other does', () => {
  const names = [...settingNotes].flatMap(([name, { file }]) => (file ? [name, `${name}_FILE`] : [name]));
  const wanted = names.filter((name) => ![...OF_THE_IMAGE, ...OF_DEV].includes(name)).toSorted();
  const service =
    /^ {2}runtime:\n[^]*?^ {4}environment:\n((?: {6}.*\n)+)/m.exec(read('docker-compose.yml'))?.[1] ?? '';
  const passed = [...service.matchAll(/^ {6}([A-Z_]+):/gm)].map(([, name]) => name ?? '').toSorted();
  expect(passed, "these are the settings of the runtime's environment in docker-compose.yml").toEqual(wanted);
  const told = new Set(read('.env.example').match(/^[A-Z_]+(?==)/gm));
  const untold = wanted.filter((name) => !told.has(name));
  expect(untold, 'each of these needs a line with a comment in .env.example').toEqual([]);
});

test('what lasts is under one directory, which another account can have elsewhere', () => {
  const mounts = [...read('docker-compose.yml').matchAll(/^ +- (\S+?):\/\S+$/gm)].map(([, from]) => from);
  const data = mounts.filter((from) => !from?.startsWith('./docker/'));
  expect(data.length).toBeGreaterThan(8);
  for (const from of data) expect(from).toMatch(/^\$\{DATA_DIR:-\.\/\.runtime\}(\/|$)/);
});

test('the services are bound to one address of the host and let go of what they do not need', () => {
  const compose = read('docker-compose.yml');
  for (const [, binding] of compose.matchAll(/^ +ports: \['(.*)'\]$/gm)) {
    expect(binding).toMatch(/^\$\{BIND_ADDRESS:-127\.0\.0\.1\}:/);
  }
  expect(read('.env.example')).toContain('BIND_ADDRESS=127.0.0.1\n');
  const services = compose.slice(compose.indexOf('\nservices:\n'));
  for (const service of services.split(/^ {2}(?=[a-z-]+:$)/m).slice(1)) {
    expect(service).toMatch(/<<: \*common/);
    expect(service).toMatch(/mem_limit: .*\n[^]*pids_limit: /);
  }
  expect(compose).toMatch(/cap_drop: \[ALL\]/);
  expect(compose).toContain("security_opt: ['no-new-privileges:true']");
});
