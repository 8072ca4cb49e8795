import { apiVersionOf, StatusError, type ApiClient, type ApiResource } from '@hawser/kube';
import { delay, type Clock, type Logger } from '@hawser/seams';
import { records } from './json-reader.ts';

/** Settings of {@link waitUntilServed}. */
export interface PresenceOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Time between looks, milliseconds. */
  readonly intervalMs: number;
  /** The resource is not served now; called after each look that found that. */
  readonly onAbsent: () => void;
}

const RETRY_MS = 1000;

/**
 * Resolves once the API server serves the resource: its CustomResourceDefinition may come later than the hub. Looks
 * at the discovery document of its group and version, again and again. Errors: `signal.reason`.
 */
export async function waitUntilServed(
  resource: ApiResource,
  options: PresenceOptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, logger, intervalMs, onAbsent } = options;
  while (true) {
    let waitMs = intervalMs;
    try {
      if (await isServed(resource, options.client, signal)) return;
      onAbsent();
    } catch (error) {
      signal.throwIfAborted();
      logger.warn(
        { resource: resource.resource, group: resource.group, err: error },
        'looking for a resource failed',
      );
      waitMs = Math.min(RETRY_MS, intervalMs);
    }
    await delay(waitMs, { clock, signal });
  }
}

async function isServed(resource: ApiResource, client: ApiClient, signal: AbortSignal): Promise<boolean> {
  const prefix = resource.group === '' ? '/api' : '/apis';
  try {
    const found = await client.request({
      method: 'GET',
      path: `${prefix}/${apiVersionOf(resource)}`,
      retries: 0,
      signal,
    });
    const served = (found as { resources?: unknown } | null)?.resources;
    return records(served).some(({ name }) => name === resource.resource);
  } catch (error) {
    if (error instanceof StatusError && error.status.code === 404) return false;
    throw error;
  }
}
