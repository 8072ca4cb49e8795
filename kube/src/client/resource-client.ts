import type { KubeObject } from '../meta/object.ts';
import type { ApiClient, ApiQuery } from './api-client.ts';
import { resourcePath, type ApiResource } from './api-resource.ts';

/** How a patch is written. Source: Kubernetes API concepts, "Patch and apply". */
export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

const PATCH_CONTENT_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml', // JSON is YAML
};

/** Options of a single call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** See `ApiCall`. */
  readonly retries?: number;
  readonly timeoutMs?: number;
  /** `dryRun`, `fieldManager`, `fieldValidation`, `force`, `resourceVersion`, selectors, … */
  readonly query?: ApiQuery;
}

/** Options of a write to an object that may go to a part of it. */
export interface WriteOptions extends CallOptions {
  /** `status`, `scale`, `binding`, … */
  readonly subresource?: string;
}

/** Options of a deletion. Source: meta/v1 DeleteOptions. */
export interface DeleteOptions extends CallOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/**
 * The verbs of one resource, typed by what the caller expects of its objects; the server's answer is believed.
 * `namespace` is `''` for cluster-scoped resources. Errors: see {@link ApiClient}.
 */
export class ResourceClient<T extends KubeObject = KubeObject> {
  readonly resource: ApiResource;
  readonly #client: ApiClient;

  constructor(client: ApiClient, resource: ApiResource) {
    this.#client = client;
    this.resource = resource;
  }

  async get(namespace: string, name: string, options: CallOptions = {}): Promise<T> {
    const path = resourcePath(this.resource, { namespace, name });
    return (await this.#client.request({ ...options, method: 'GET', path })) as T;
  }

  /** One page; follow `metadata.continue` for more. `''`: all namespaces. */
  async list(namespace: string, options: CallOptions = {}): Promise<ObjectList<T>> {
    const path = resourcePath(this.resource, { namespace });
    return (await this.#client.request({ ...options, method: 'GET', path })) as ObjectList<T>;
  }

  /** Creates the object in its `metadata.namespace`; with a subresource (binding, eviction, token) below its name. */
  async create(object: KubeObject, options: WriteOptions = {}): Promise<T> {
    const { subresource, ...rest } = options;
    const { namespace } = object.metadata;
    const name = subresource === undefined ? undefined : object.metadata.name;
    const path = resourcePath(this.resource, { namespace, name, subresource });
    return (await this.#client.request({ ...rest, method: 'POST', path, body: object })) as T;
  }

  /** Replaces the object; its `metadata.resourceVersion` guards against overwriting others' changes (Conflict). */
  async update(object: KubeObject, options: WriteOptions = {}): Promise<T> {
    const { subresource, ...rest } = options;
    const { namespace, name } = object.metadata;
    const path = resourcePath(this.resource, { namespace, name, subresource });
    return (await this.#client.request({ ...rest, method: 'PUT', path, body: object })) as T;
  }

  async patch(
    namespace: string,
    name: string,
    type: PatchType,
    body: unknown,
    options: WriteOptions = {},
  ): Promise<T> {
    const { subresource, ...rest } = options;
    const path = resourcePath(this.resource, { namespace, name, subresource });
    const contentType = PATCH_CONTENT_TYPES[type];
    return (await this.#client.request({ ...rest, method: 'PATCH', path, body, contentType })) as T;
  }

  /** Deletes; the answer is the object or a Status, depending on the resource, and not handed on. */
  async delete(namespace: string, name: string, options: DeleteOptions = {}): Promise<void> {
    const { gracePeriodSeconds, propagationPolicy, preconditions, ...rest } = options;
    const path = resourcePath(this.resource, { namespace, name });
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds,
      propagationPolicy,
      preconditions,
    };
    await this.#client.request({ ...rest, method: 'DELETE', path, body });
  }
}

/** A list as the API answers it; items lack `apiVersion` and `kind` for built-in kinds. */
export interface ObjectList<T extends KubeObject> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[];
}
