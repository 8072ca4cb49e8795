import { apiVersionOf, resourcePath, type ApiClient, type ApiResource, type KubeObject } from '@hawser/kube';

/** Which objects, and what of them. */
export interface ListObjectsOptions {
  /** Default: all. */
  readonly fieldSelector?: string;
  /** Only their metadata travels. Default false. */
  readonly metadataOnly?: boolean;
  /** Called with the resourceVersion of each page, which is that of the whole list. */
  readonly onVersion?: (version: string) => void;
}

const PAGE_SIZE = 500;
const METADATA = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

interface Page {
  readonly items?: readonly KubeObject[] | null;
  readonly metadata: { readonly continue?: string; readonly resourceVersion?: string };
}

/**
 * All objects of a resource, in all namespaces, as the API server has them now: a quorum read, page by page.
 * Errors: those of `ApiClient`; Expired, where the history was compacted between two pages.
 */
export async function* listObjects(
  client: ApiClient,
  resource: ApiResource,
  options: ListObjectsOptions,
  signal: AbortSignal,
): AsyncGenerator<KubeObject, void, undefined> {
  const { fieldSelector, metadataOnly = false, onVersion } = options;
  let next: string | undefined = '';
  while (next !== undefined) {
    const page = (await client.request({
      method: 'GET',
      path: resourcePath(resource),
      query: { fieldSelector, limit: PAGE_SIZE, continue: next === '' ? undefined : next },
      ...(metadataOnly && { accept: METADATA }),
      retries: 0,
      signal,
    })) as Page;
    onVersion?.(page.metadata.resourceVersion ?? '');
    // Items of a list do not say what they are.
    for (const item of page.items ?? [])
      yield { ...item, apiVersion: apiVersionOf(resource), kind: resource.kind };
    next = page.metadata.continue === '' ? undefined : page.metadata.continue;
  }
}
