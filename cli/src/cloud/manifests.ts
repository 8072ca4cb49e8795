import { readdir, readFile } from 'node:fs/promises';
import type { KubeObject } from '@hawser/kube';
import { parseAllDocuments } from 'yaml';
import { CliError } from '../errors.ts';

/** The folders beside `dist`; `packaging` in the sources links to them. */
const MANIFESTS = new URL('../../../manifests/', import.meta.url);

/** Which manifests: definitions, rights of the hub, schemas of the configuration that our mappers take. */
export type ManifestFolder = 'crds' | 'rbac' | 'mapper-schemas';

/**
 * The objects that come with this release, in the order of their files.
 * @throws CliError `ERR_CLI_CONFIG` where the installation is not complete
 */
export async function readManifests(folder: ManifestFolder): Promise<readonly KubeObject[]> {
  const dir = new URL(`${folder}/`, MANIFESTS);
  try {
    const names = (await readdir(dir)).filter((name) => name.endsWith('.yaml')).sort();
    const texts = await Promise.all(names.map((name) => readFile(new URL(name, dir), 'utf8')));
    return texts.flatMap(objectsIn);
  } catch (cause) {
    const message = `the manifests of this installation cannot be read: ${(cause as Error).message}`;
    throw new CliError('ERR_CLI_CONFIG', message, { cause, remedy: 'Install `hawser` again.' });
  }
}

function objectsIn(text: string): KubeObject[] {
  return [...parseAllDocuments(text)].map((document) => {
    const [problem] = document.errors;
    if (problem !== undefined) throw problem;
    return document.toJS() as KubeObject; // our own files; a test applies all of them
  });
}
