import { readManifests } from '@hawser/cli';
import { resourcePath, RESOURCES, StatusError, type ApiClient, type ApiResource } from '@hawser/kube';
import { delay } from '@hawser/seams';
import { E2eError } from '../errors.ts';
import type { ClusterSite } from './cluster-site.ts';

const LOOK_EVERY_MS = 5;
const DEADLINE_MS = 10_000;

/** Applies all definitions that `hawser init` brings, and waits until the API serves these resources. */
export async function defineResources(
  { client }: ClusterSite,
  resources: readonly ApiResource[],
): Promise<void> {
  for (const body of await readManifests('crds')) {
    const path = resourcePath(RESOURCES.customresourcedefinitions, {});
    await client.request({ method: 'POST', path, body });
  }
  await untilServed(client, resources);
}

/** Waits until the API serves resources whose definitions are there. @throws E2eError ERR_E2E_CHILD_TIMEOUT */
export async function untilServed(client: ApiClient, resources: readonly ApiResource[]): Promise<void> {
  const lateMs = performance.now() + DEADLINE_MS;
  for (const resource of resources)
    while (!(await serves(client, resource))) {
      if (performance.now() > lateMs)
        throw new E2eError('ERR_E2E_CHILD_TIMEOUT', `${resource.resource} are not served`);
      await delay(LOOK_EVERY_MS);
    }
}

async function serves(client: ApiClient, resource: ApiResource): Promise<boolean> {
  try {
    await client.request({ method: 'GET', path: resourcePath(resource, {}) });
    return true;
  } catch (error) {
    if (error instanceof StatusError && error.status.code === 404) return false;
    throw error;
  }
}
