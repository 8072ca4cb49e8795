import type { KubeObject } from '../meta/object.ts';
import { cacheKey } from './cache-entry.ts';
import { ClientError } from './client-error.ts';
import type { ListCall, ListerWatcher, ListPage } from './lister-watcher.ts';
import { isExpired } from './response-status.ts';

/** What {@link listAll} found. */
export interface ListedObjects<E> {
  /** By `namespace/name`. */
  readonly entries: ReadonlyMap<string, E>;
  /** The version that the list shows. */
  readonly version: string;
}

/** Which list. */
export interface ListAllOptions<E> {
  /** `''`: newest; `'0'`: what the server has in memory; else: at least this. */
  readonly version: string;
  readonly pageSize: number;
  /** Makes of an object what is kept; undefined leaves it out. Objects themselves are not held. */
  readonly prepare: (object: KubeObject) => E | undefined;
}

/**
 * Lists page by page. When the history was compacted between two pages (410 for the continue token), starts over
 * with one list in a single piece: going on with the fresh token of the 410 would mix two states.
 * Source: client-go tools/pager ListPager.
 */
export async function listAll<E>(
  listerWatcher: ListerWatcher,
  options: ListAllOptions<E>,
  signal: AbortSignal,
): Promise<ListedObjects<E>> {
  const { version, pageSize, prepare } = options;
  const first = firstCall(version);
  let entries = new Map<string, E>();
  const keep = (page: ListPage): void => {
    for (const item of page.items) {
      const prepared = prepare(item);
      if (prepared !== undefined)
        entries.set(cacheKey(item.metadata.namespace, item.metadata.name ?? ''), prepared);
    }
  };

  let page = await listerWatcher.list({ ...first, limit: pageSize }, signal);
  const { resourceVersion } = page;
  keep(page);
  while (page.continue !== undefined) {
    signal.throwIfAborted();
    const token = page.continue;
    try {
      page = await listerWatcher.list({ limit: pageSize, continue: token }, signal);
    } catch (error) {
      if (!isExpired(error)) throw error;
      entries = new Map();
      const whole = await listerWatcher.list(first, signal);
      keep(whole);
      return { entries, version: whole.resourceVersion };
    }
    if (page.continue === token) {
      throw new ClientError(
        'ERR_KUBE_CLIENT_BAD_RESPONSE',
        'a list answers the continue token that it was asked with',
      );
    }
    keep(page);
  }
  signal.throwIfAborted();
  return { entries, version: resourceVersion };
}

function firstCall(version: string): ListCall {
  if (version === '' || version === '0') return { resourceVersion: version };
  // Said explicitly: with a limit and without a match the old meaning would be Exact.
  return { resourceVersion: version, resourceVersionMatch: 'NotOlderThan' };
}
