import type { KubeObject } from '../meta/object.ts';
import type { ApiClient } from './api-client.ts';
import { apiVersionOf, resourcePath, type ApiResource } from './api-resource.ts';
import { ClientError } from './client-error.ts';
import type { ServerFacts } from './server-facts.ts';
import { decodeWatchEvents, type WatchEvent } from './watch-events.ts';

/** Options of one list call; what is undefined is not sent. Source: meta/v1 ListOptions. */
export interface ListCall {
  /** `''` (not sent): the newest; `'0'`: whatever the server has in memory. */
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'NotOlderThan' | 'Exact';
  readonly limit?: number;
  /** From the page before; then neither version nor match may be given. */
  readonly continue?: string;
}

/** One page of a list. Items carry their `apiVersion` and `kind`, which servers leave out. */
export interface ListPage {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Absent on the last page. */
  readonly continue?: string;
}

/** Options of one watch call. */
export interface WatchCall {
  readonly resourceVersion?: string;
  /** The server ends the watch after this time. */
  readonly timeoutSeconds: number;
  /** Asks for a streaming list first: ADDED for each object, then a bookmark with an annotation (KEP-3157). */
  readonly sendInitialEvents?: boolean;
}

/** An open watch. Iterate once; leaving the loop closes it. */
export interface WatchStream extends AsyncIterable<WatchEvent> {
  close(): void;
}

/**
 * The seam between a reflector and where its objects come from. An abort of `signal` ends what is under way, an
 * open watch too, with `signal.reason`.
 */
export interface ListerWatcher {
  /** Facts about the server behind, shared by all that use it. */
  readonly server: ServerFacts;
  list(call: ListCall, signal: AbortSignal): Promise<ListPage>;
  /** Resolves when the server has accepted the watch. Bookmarks are always asked for. */
  watch(call: WatchCall, signal: AbortSignal): Promise<WatchStream>;
}

/** Which objects of a resource are meant. */
export interface ListerWatcherScope {
  /** Default: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Time for one page of a list, milliseconds. Default 60000. */
  readonly listTimeoutMs?: number;
  /** Largest watch event, bytes. Default 16777216; an object in etcd has at most 1.5 MiB. */
  readonly limitEventBytes?: number;
}

/** A {@link ListerWatcher} over an {@link ApiClient}. Lists are not retried here: the reflector has a back-off. */
export function resourceListerWatcher(
  client: ApiClient,
  resource: ApiResource,
  scope: ListerWatcherScope = {},
): ListerWatcher {
  const {
    namespace,
    labelSelector,
    fieldSelector,
    listTimeoutMs = 60_000,
    limitEventBytes = 16 * 2 ** 20,
  } = scope;
  const path = resourcePath(resource, { namespace });
  const selectors = { labelSelector, fieldSelector };
  return {
    server: client.server,
    async list(call, signal) {
      const query = { ...selectors, ...call, resourceVersion: sent(call.resourceVersion) };
      const body = await client.request({
        method: 'GET',
        path,
        query,
        retries: 0,
        timeoutMs: listTimeoutMs,
        signal,
      });
      return decodeListPage(body, resource);
    },
    async watch(call, signal) {
      const { resourceVersion, timeoutSeconds, sendInitialEvents } = call;
      const query = {
        watch: true,
        ...selectors,
        resourceVersion: sent(resourceVersion),
        timeoutSeconds,
        allowWatchBookmarks: true,
        ...(sendInitialEvents === true && { sendInitialEvents, resourceVersionMatch: 'NotOlderThan' }),
      };
      const stream = await client.stream({ method: 'GET', path, query, signal });
      const events = decodeWatchEvents(stream, limitEventBytes);
      return { close: () => stream.close(), [Symbol.asyncIterator]: () => events };
    },
  };
}

function sent(resourceVersion: string | undefined): string | undefined {
  return resourceVersion === '' ? undefined : resourceVersion;
}

/** @throws ClientError `ERR_KUBE_CLIENT_BAD_RESPONSE` where the body is no list */
function decodeListPage(body: unknown, resource: ApiResource): ListPage {
  const list = body as { kind?: unknown; metadata?: Record<string, unknown> | null; items?: unknown } | null;
  const version = list?.metadata?.['resourceVersion'];
  // Go encodes an empty slice as null in places.
  const items = list?.items ?? [];
  if (typeof version !== 'string' || !Array.isArray(items)) {
    throw new ClientError(
      'ERR_KUBE_CLIENT_BAD_RESPONSE',
      `the list of ${resource.resource} has no items or version`,
    );
  }
  const next = list?.metadata?.['continue'];
  return {
    items: items.map((item: unknown) => decodeItem(item, resource)),
    resourceVersion: version,
    ...(typeof next === 'string' && next !== '' && { continue: next }),
  };
}

function decodeItem(item: unknown, resource: ApiResource): KubeObject {
  const object = item as Partial<KubeObject> | null;
  const { name, resourceVersion } = object?.metadata ?? {};
  if (typeof name !== 'string' || typeof resourceVersion !== 'string') {
    throw new ClientError(
      'ERR_KUBE_CLIENT_BAD_RESPONSE',
      `the list of ${resource.resource} has an item without name`,
    );
  }
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object } as KubeObject; // metadata checked above
}
