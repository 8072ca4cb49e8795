import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import type { KubeObject } from '@hawser/kube';
import { parseAllDocuments } from 'yaml';

/** What scripts/helm.js has, which is no package. */
interface HelmScript {
  readonly chartDir: string;
  readonly withoutHelm: () => string | undefined;
  readonly helm: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<string>;
  readonly renderChart: (args: readonly string[]) => Promise<string>;
}

/** The checkout, from `e2e/dist/test/chart`. */
export const ROOT = path.resolve(import.meta.dirname, '../../../..');

/** A module of the folder `scripts`. */
async function script<T>(name: string): Promise<T> {
  return (await import(new URL(`scripts/${name}`, `file://${ROOT}/`).href)) as T;
}

export const { chartDir, withoutHelm, helm, renderChart } = await script<HelmScript>('helm.js');
export const { plainManifests } = await script<{ plainManifests: () => Promise<string> }>('manifests.js');

/** The files of values that the chart is tried with. */
export async function valuesFiles(): Promise<readonly string[]> {
  const folder = path.join(chartDir, 'ci');
  return (await readdir(folder)).sort().map((name) => path.join(folder, name));
}

/** The objects of the chart with a file of values. */
export async function objectsWith(file: string, ...args: readonly string[]): Promise<readonly KubeObject[]> {
  return objectsIn(await renderChart(['--values', file, ...args]));
}

/** The objects of YAML documents. */
export function objectsIn(text: string): readonly KubeObject[] {
  return [...parseAllDocuments(text)]
    .map((document) => {
      const [problem] = document.errors;
      if (problem !== undefined) throw problem;
      return document.toJS() as KubeObject | null;
    })
    .filter((object) => object !== null);
}

/** The same of a file of the checkout. */
export async function objectsOf(file: string): Promise<readonly KubeObject[]> {
  return objectsIn(await readFile(path.join(ROOT, file), 'utf8'));
}

/** Skips, and says why, where there is no Helm. For a hook `before`. */
export function needHelm(context: { skip(): never }): void {
  const reason = withoutHelm();
  if (reason === undefined) return;
  console.log(`    skipped: ${reason}`);
  context.skip();
}
