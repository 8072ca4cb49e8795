import type { ObjectStore } from '@hawser/kube';
import type { Logger } from '@hawser/seams';
import {
  FILTER_NAMES,
  filteredStore,
  type FilterContext,
  type FilterName,
} from '../local-store/filtered-store.ts';
import type { LocalStore } from '../local-store/local-store.ts';

/**
 * What a client is shown, by the first word of its User-Agent (`kube-proxy/v1.33.1 (linux/amd64) …` is `kube-proxy`).
 * @param filters `localApi.filters`: names of filters with commas, by client; case does not matter
 */
export function shownToClients(
  store: LocalStore,
  filters: Readonly<Record<string, string>>,
  context: FilterContext,
  log: Logger,
): (userAgent: string | undefined) => ObjectStore {
  const byClient = new Map<string, readonly FilterName[]>();
  for (const [client, text] of Object.entries(filters)) {
    const names = text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    const unknown = names.filter((name) => !isFilter(name));
    if (unknown.length > 0)
      log.warn({ client, unknown, known: FILTER_NAMES }, 'localApi.filters: there are no such filters');
    byClient.set(client.toLowerCase(), names.filter(isFilter));
  }
  return (userAgent = '') => {
    const [client = ''] = userAgent.split(/[/ ]/, 1);
    return filteredStore(store, byClient.get(client.toLowerCase()) ?? [], context);
  };
}

function isFilter(name: string): name is FilterName {
  return (FILTER_NAMES as readonly string[]).includes(name);
}
