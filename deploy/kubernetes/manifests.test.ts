/** The manifests fit the Kubernetes API, list what exists, and keep the promises of docs/reference/kubernetes.md. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import * as v from 'valibot';
import { parse, parseAllDocuments } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { loadConfig } from '../../src/config/config.ts';
import { settingNotes } from '../../src/config/settings.ts';
import { parseManifest, typeProblems, validate, type Manifest } from './schemas.test-kit.ts';

const HERE = import.meta.dirname;
const read = (path: string): string => readFileSync(join(HERE, path), 'utf8');
/** YAML with merge keys (`<<`), as kustomize reads it. */
const documentsOf = (text: string): unknown[] =>
  parseAllDocuments(text, { merge: true }).map((document) => {
    const value: unknown = document.toJS();
    return value;
  });

const Kustomization = v.strictObject({
  apiVersion: v.picklist(['kustomize.config.k8s.io/v1beta1', 'kustomize.config.k8s.io/v1alpha1']),
  kind: v.picklist(['Kustomization', 'Component']),
  namespace: v.optional(v.string()),
  labels: v.optional(
    v.array(v.strictObject({ pairs: v.record(v.string(), v.string()), includeTemplates: v.boolean() })),
  ),
  resources: v.optional(v.array(v.string()), []),
  components: v.optional(v.array(v.string()), []),
  patches: v.optional(
    v.array(
      v.strictObject({ path: v.string(), target: v.strictObject({ kind: v.string(), name: v.string() }) }),
    ),
    [],
  ),
  images: v.optional(
    v.array(
      v.strictObject({ name: v.string(), newName: v.string(), newTag: v.union([v.string(), v.number()]) }),
    ),
  ),
  configMapGenerator: v.optional(
    v.array(v.strictObject({ name: v.string(), envs: v.array(v.string()) })),
    [],
  ),
});

const kustomizations = globSync('**/kustomization.yaml', { cwd: HERE });
const patches = kustomizations.flatMap((path) =>
  v.parse(Kustomization, parse(read(path))).patches.map((patch) => join(dirname(path), patch.path)),
);
const manifestFiles = globSync('**/*.yaml', { cwd: HERE }).filter(
  (path) => basename(path) !== 'kustomization.yaml' && !patches.includes(path),
);
const manifests = manifestFiles.flatMap((path) => documentsOf(read(path)).map(parseManifest));

describe('every manifest', () => {
  test.each(
    manifests.map((manifest): [string, Manifest] => [`${manifest.kind} ${manifest.metadata.name}`, manifest]),
  )('%s fits the schema of the API', async (_, manifest) => {
    await validate(manifest);
  });

  test('has only fields that the API knows', () => {
    expect(typeProblems(manifests)).toEqual([]);
  });

  test('is held to names: a misspelled field is found', () => {
    const set = manifests.find(({ kind }) => kind === 'StatefulSet');
    expect(typeProblems([parseManifest({ ...set, spec: { replica: 1 } })]).join()).toContain(
      `'"replica"' does not exist`,
    );
  });
});

test.each(kustomizations)('%s lists what exists, and all of it', (path) => {
  const folder = dirname(path);
  const {
    resources,
    components,
    configMapGenerator,
    patches: own,
  } = v.parse(Kustomization, parse(read(path)));
  const listed = [
    ...resources,
    ...components,
    ...own.map((patch) => patch.path),
    ...configMapGenerator.flatMap(({ envs }) => envs),
  ];
  for (const name of listed) {
    const target = join(HERE, folder, name);
    expect(existsSync(target), `${folder}/${name}`).toBe(true);
    if (!/\.(yaml|env)$/.test(name)) expect(existsSync(join(target, 'kustomization.yaml')), name).toBe(true);
  }
  const here = globSync('*.{yaml,env}', { cwd: join(HERE, folder) }).filter(
    (name) => name !== 'kustomization.yaml',
  );
  expect(here.filter((name) => !listed.includes(name))).toEqual([]);
});

const Env = v.array(v.looseObject({ name: v.string(), value: v.optional(v.string()) }));
const StatefulSet = v.looseObject({
  spec: v.looseObject({
    replicas: v.number(),
    template: v.looseObject({
      spec: v.looseObject({
        terminationGracePeriodSeconds: v.number(),
        containers: v.array(v.looseObject({ name: v.string(), image: v.string(), env: Env })),
      }),
    }),
    volumeClaimTemplates: v.optional(
      v.array(v.looseObject({ metadata: v.looseObject({ name: v.string() }) })),
    ),
  }),
});

const statefulSetOf = (documents: readonly unknown[]) =>
  v.parse(
    StatefulSet,
    documents.find((document) => v.is(v.looseObject({ kind: v.literal('StatefulSet') }), document)),
  );

const settingsOf = (path: string): Record<string, string> =>
  Object.fromEntries(
    read(path)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );

/** The runtime's settings in an account's pod, as the runtime itself reads them. */
function configOf(account: string, set: v.InferOutput<typeof StatefulSet>) {
  const secrets = mkdtempSync(join(tmpdir(), 'manifests-'));
  onTestFinished(() => rmSync(secrets, { recursive: true }));
  const values: Record<string, string> = {
    'account-id': 'acme',
    'service-token': `mc_service_acme_${'0'.repeat(64)}`,
    'gateway-token': 'secret',
  };
  for (const [name, value] of Object.entries(values)) writeFileSync(join(secrets, name), value);
  const { env = [] } = set.spec.template.spec.containers.find(({ name }) => name === 'runtime') ?? {};
  const given = Object.fromEntries(
    env.map(({ name, value = '' }) => [name, value.replace('/run/secrets/runtime', secrets)]),
  );
  const settings = { ...settingsOf(`accounts/${account}/settings.env`), ...given };
  const known = (name: string) =>
    settingNotes.has(name) || settingNotes.get(name.replace(/_FILE$/, ''))?.file;
  expect(Object.keys(settings).filter((name) => !known(name))).toEqual([]);
  return loadConfig(settings, { terminal: false, cwd: '/app' }).config;
}

const base = statefulSetOf(documentsOf(read('base/stateful-set.yaml')));

test('there is one replica, of the version of the package', () => {
  expect(base.spec.replicas).toBe(1);
  const [runtime] = base.spec.template.spec.containers;
  expect(runtime?.image).toBe(`openclaw-mission-control-runtime:${packageJson.version}`);
});

test('the pod is given the drain and 15 s before it is killed', () => {
  const drainMs = configOf('example', base).drainTimeoutMs;
  expect(base.spec.template.spec.terminationGracePeriodSeconds * 1_000).toBe(drainMs + 15_000);
});

test('no secret stands in a manifest or in an account', () => {
  const secret = [...settingNotes].filter(([, notes]) => notes.secret).map(([name]) => name);
  for (const path of globSync('accounts/*/*.env', { cwd: HERE })) {
    expect(Object.keys(settingsOf(path)).filter((name) => secret.includes(name))).toEqual([]);
  }
  const names = base.spec.template.spec.containers.flatMap(({ env }) => env.map(({ name }) => name));
  expect(names.filter((name) => secret.includes(name))).toEqual([]);
});

describe.each(globSync('accounts/*', { cwd: HERE }).map((path) => basename(path)))(
  'built account %s',
  (account) => {
    /** kubectl has kustomize; a machine without it cannot build. */
    const build = (skip: (why: string) => never): unknown[] => {
      try {
        return documentsOf(
          execFileSync('kubectl', ['kustomize', join(HERE, 'accounts', account)], { encoding: 'utf8' }),
        );
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
          return skip('kubectl is not installed');
        throw error;
      }
    };

    test('fits the API, with every field known', async ({ skip }) => {
      const built = build(skip).map(parseManifest);
      for (const manifest of built) await validate(manifest);
      expect(typeProblems(built)).toEqual([]);
    });

    test('runs with its settings, in its own namespace, and keeps its journal', ({ skip }) => {
      const built = build(skip);
      const set = statefulSetOf(built);
      expect(set.spec.replicas).toBe(1);
      expect(set.spec.volumeClaimTemplates?.map(({ metadata }) => metadata.name)).toContain('journal');
      const { drainTimeoutMs, upgradeMode } = configOf(account, set);
      expect(upgradeMode).toBe('notify');
      expect(set.spec.template.spec.terminationGracePeriodSeconds * 1_000).toBeGreaterThanOrEqual(
        drainTimeoutMs + 15_000,
      );
      for (const manifest of built.map(parseManifest)) {
        if (manifest.kind !== 'Namespace')
          expect(manifest.metadata['namespace']).toBe(`mission-control-${account}`);
      }
    });

    test('reaches names in kube-system, https, and gateways', ({ skip }) => {
      const policy = build(skip).find((document) =>
        v.is(v.looseObject({ kind: v.literal('NetworkPolicy') }), document),
      );
      const labels = [...JSON.stringify(policy).matchAll(/"podSelector":\{"matchLabels":(\{[^}]*\})/g)].map(
        ([, found]) => found,
      );
      expect(labels).toEqual([
        '{"k8s-app":"kube-dns"}',
        '{"app.kubernetes.io/name":"openclaw-gateway"}',
        '{"app.kubernetes.io/name":"mission-control-runtime"}',
      ]);
    });
  },
);

test('the page names every account folder', () => {
  const page = readFileSync(join(HERE, '../../docs/reference/kubernetes.md'), 'utf8');
  for (const path of globSync('accounts/*', { cwd: HERE }))
    expect(page).toContain(`deploy/kubernetes/${path}`);
});
