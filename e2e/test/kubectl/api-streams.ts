import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { WebSocket } from 'ws';

/** A command in a container that a client of the API has started. */
export interface ApiExec {
  readonly socket: WebSocket;
  /** Bytes of stdout so far. */
  readonly received: () => number;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<unknown>;
}

/** Starts a command over a WebSocket of the API. @throws Error with the status of a refusal and what it says */
export async function apiExec(config: KubeConfig, pod: string, command: readonly string[]): Promise<ApiExec> {
  const query = new URLSearchParams([['stdout', 'true']]);
  for (const word of command) query.append('command', word);
  const { url, options } = await target(
    config,
    `/api/v1/namespaces/default/pods/${pod}/exec?${query.toString()}`,
  );
  const socket = new WebSocket(url.replace(/^http/, 'ws'), ['v4.channel.k8s.io'], options);
  let received = 0;
  socket.on('message', (data: Buffer) => {
    if (data[0] === 1) received += data.length - 1;
  });
  const refused = new Promise<never>((_resolve, reject) => {
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      void response.toArray().then((chunks: Buffer[]) => {
        reject(new Error(`${response.statusCode ?? 0}: ${Buffer.concat(chunks).toString()}`));
      }, reject);
    });
  });
  const closed = once(socket, 'close');
  closed.catch(() => {}); // an error is one of opening, too
  await Promise.race([once(socket, 'open'), refused]);
  return { socket, received: () => received, closed };
}

/** Asks for a log; resolves with the beginning of the answer. */
export async function apiLog(config: KubeConfig, pod: string, query = ''): Promise<IncomingMessage> {
  const { url, options } = await target(config, `/api/v1/namespaces/default/pods/${pod}/log?${query}`);
  const [response] = (await once(get(url, { ...options, agent: false }), 'response')) as [IncomingMessage];
  return response;
}

async function target(config: KubeConfig, path: string): Promise<{ url: string; options: object }> {
  const options = {};
  await config.applyToHTTPSOptions(options);
  return { url: `${config.getCurrentCluster()?.server ?? ''}${path}`, options };
}
