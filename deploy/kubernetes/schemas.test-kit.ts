/** Holds manifests to the Kubernetes API: its schemas at run time, and its types, which also know every field's name. */
import { join } from 'node:path';
import ts from 'typescript';
import * as v from 'valibot';

const ROOT = join(import.meta.dirname, '../..');

const Manifest = v.looseObject({
  apiVersion: v.string(),
  kind: v.string(),
  metadata: v.looseObject({ name: v.string() }),
});

export type Manifest = v.InferOutput<typeof Manifest>;

export const parseManifest = (document: unknown): Manifest => v.parse(Manifest, document);

const moduleOf = ({ apiVersion }: Manifest): string =>
  apiVersion.startsWith('monitoring.coreos.com/')
    ? `@kubernetes-models/prometheus-operator/${apiVersion}`
    : `kubernetes-models/${apiVersion}`;

const Model = v.custom<new (data: Manifest) => { validate(): void }>((value) => typeof value === 'function');

/** @throws Error that names what the API's schema refuses */
export async function validate(manifest: Manifest): Promise<void> {
  const kinds: unknown = await import(moduleOf(manifest));
  const models = v.parse(v.record(v.string(), v.unknown()), kinds);
  const Kind = v.parse(Model, models[manifest.kind]);
  new Kind(manifest).validate();
}

/**
 * The schemas allow fields that they do not know, so a misspelled one would pass. TypeScript refuses it in an object
 * literal.
 * @returns a sentence for each field that the API does not know or whose value does not fit
 */
export function typeProblems(manifests: readonly Manifest[]): string[] {
  const file = join(ROOT, 'deploy/kubernetes/manifests.checked.ts');
  const source = manifests
    .map(
      (manifest, at) =>
        `import type { I${manifest.kind} as T${at} } from '${moduleOf(manifest)}/${manifest.kind}';\n` +
        `export const m${at}: T${at} = ${JSON.stringify(manifest)};`,
    )
    .join('\n');
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022) : read(name, ...rest);
  const exists = host.fileExists.bind(host);
  host.fileExists = (name) => name === file || exists(name);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([file], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
