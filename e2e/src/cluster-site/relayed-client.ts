import { ServerFacts, StatusError, type ApiCall, type ApiClient, type Status } from '@hawser/kube';
import type { NodeChild } from '../processes/node-child.ts';
import { ask, RemoteError } from './ipc-calls.ts';

/**
 * A client of an API server in another network namespace, by way of its process. For single calls only: watches
 * need a network.
 */
export function relayedClient(child: NodeChild): ApiClient {
  return {
    server: new ServerFacts(),
    async request({ signal, ...call }: ApiCall) {
      signal?.throwIfAborted();
      try {
        return await ask(child, 'call', call);
      } catch (error) {
        if (error instanceof RemoteError && error.status !== undefined)
          throw new StatusError(error.status as Status);
        throw error;
      }
    },
    stream: () => Promise.reject(new TypeError('a relayed client has no streams')),
    close: () => {},
  };
}
