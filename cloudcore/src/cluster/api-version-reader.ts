import { resourcePath, RESOURCES, type ApiClient } from '@hawser/kube';
import { systemClock, type Clock } from '@hawser/seams';
import { CloudCoreError } from '../errors.ts';
import { HAWSER_NAMESPACE } from './names.ts';
import { SharedRead } from './shared-read.ts';

/** Metadata only: what is listed is not looked at. */
const METADATA = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

/** Settings of {@link ApiVersionReader}. */
export interface ApiVersionReaderOptions {
  readonly client: ApiClient;
  /** Path of what is listed. Default: ConfigMaps of {@link HAWSER_NAMESPACE}. */
  readonly path?: string;
  readonly clock?: Clock;
}

/**
 * The newest resourceVersion that the API server has written anything at, over all resources: they share one counter
 * (that of etcd, or of the embedded store). Asked with the cheapest quorum read there is, a list of one object.
 * Source: Kubernetes API concepts, "Resource versions"; KEP-2340 (consistent reads from cache).
 */
export class ApiVersionReader {
  readonly #client: ApiClient;
  readonly #path: string;
  readonly #shared: SharedRead<string>;

  constructor(options: ApiVersionReaderOptions) {
    const { client, clock = systemClock } = options;
    this.#client = client;
    this.#path = options.path ?? resourcePath(RESOURCES.configmaps, { namespace: HAWSER_NAMESPACE });
    this.#shared = new SharedRead({
      read: (signal) => this.#read(signal),
      nowMs: () => clock.monotonicMs(),
    });
  }

  /**
   * The version as of a read that began at most `maxAgeMs` before; 0: not before the call. Concurrent callers share
   * reads. Errors: those of `ApiClient`; `signal.reason`.
   */
  async current(maxAgeMs: number, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted();
    const version = await this.#shared.get(maxAgeMs);
    signal?.throwIfAborted();
    return version;
  }

  /** What was read before does not count any more: the API server may be another one. */
  forget(): void {
    this.#shared.forget();
  }

  /** Gives up what is under way. Idempotent. */
  close(): void {
    this.#shared.close(new CloudCoreError('ERR_CLOUDCORE_CLOSED', 'the hub is stopping'));
  }

  async #read(signal: AbortSignal): Promise<string> {
    const list = (await this.#client.request({
      method: 'GET',
      path: this.#path,
      query: { limit: 1 },
      accept: METADATA,
      signal,
    })) as { metadata?: { resourceVersion?: unknown } } | null;
    const version = list?.metadata?.resourceVersion;
    if (typeof version === 'string' && version !== '') return version;
    throw new CloudCoreError('ERR_CLOUDCORE_CLUSTER', 'the API server lists without a resourceVersion');
  }
}
