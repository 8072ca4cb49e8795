import { createRequire } from 'node:module';
import path from 'node:path';
import ts from 'typescript';
import type { KubeObject } from '@hawser/kube';

const CLIENT_NODE = path.dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node'));
const CHECKED = path.join(import.meta.dirname, 'objects-to-check.ts');
/** Words of TypeScript have another name there. */
const RENAMED: Readonly<Record<string, string>> = { from: '_from', default: '_default', enum: '_enum' };

/**
 * What is wrong with objects by Kubernetes' own OpenAPI document: fields that there are not, that are missing, and values
 * of a wrong type. The types are those that @kubernetes/client-node has generated of it; the compiler compares.
 */
export function typeProblems(objects: readonly KubeObject[]): readonly string[] {
  const kinds = [...new Set(objects.map(modelOf))];
  const text = [
    ...kinds.map((kind) => `import type { ${kind} } from '${CLIENT_NODE}/gen/models/${kind}.js';`),
    ...objects.map((object, index) => `export const o${index}: ${modelOf(object)} = ${literalOf(object)};`),
  ].join('\n');
  const options: ts.CompilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const real = ts.createCompilerHost(options);
  host.fileExists = (file) => file === CHECKED || real.fileExists(file);
  host.getSourceFile = (file, languageVersion) =>
    file === CHECKED
      ? ts.createSourceFile(file, text, languageVersion)
      : real.getSourceFile(file, languageVersion);
  const program = ts.createProgram([CHECKED], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText, start = 0, file }) => {
    const line = file?.getLineAndCharacterOfPosition(start).line ?? 0;
    const { kind = '?', metadata } = objects[line - kinds.length] ?? {};
    return `${kind} ${metadata?.name ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}

/** `V1Deployment` of apps/v1. */
function modelOf({ apiVersion, kind }: KubeObject): string {
  const version = apiVersion.split('/').at(-1) ?? '';
  return `${version.charAt(0).toUpperCase()}${version.slice(1)}${kind}`;
}

function literalOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literalOf).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, member]) => `${JSON.stringify(RENAMED[key] ?? key)}: ${literalOf(member)}`,
  );
  return `{ ${members.join(', ')} }`;
}
