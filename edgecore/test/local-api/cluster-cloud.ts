import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Duplex } from 'node:stream';
import { forbiddenPath, serviceUnavailable } from '@hawser/kube';
import type {
  ApiCaller,
  CloudAccess,
  CloudAnswer,
  CloudRead,
} from '../../src/local-api/cloud-access-types.ts';
import { CALLER_HEADER, type Cluster } from './cluster.ts';

/** The way to a {@link Cluster} that tests can cut. */
export class ClusterCloud implements CloudAccess {
  available = true;
  readonly forwarded: string[] = [];
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async forward(request: IncomingMessage, response: ServerResponse, caller: ApiCaller): Promise<void> {
    const { method = '', url = '' } = request;
    this.forwarded.push(`${method} ${url}`);
    const answer = await this.#ask(method, url, request.headers, caller, request);
    response.writeHead(answer.statusCode ?? 0, answer.headers);
    response.flushHeaders();
    response.once('close', () => answer.destroy());
    await pipeline(answer, response).catch(() => response.destroy());
  }

  upgrade(request: IncomingMessage, socket: Duplex, _head: Buffer, caller: ApiCaller): Promise<void> {
    this.forwarded.push(`UPGRADE ${request.url ?? ''} ${caller.user.username}`);
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n');
    return Promise.resolve();
  }

  async read({ path, headers, caller, limitBytes }: CloudRead): Promise<CloudAnswer> {
    this.forwarded.push(`READ ${path}`);
    const answer = await this.#ask('GET', path, headers, caller);
    const body = await buffer(answer);
    if (body.length > limitBytes) throw new Error('too large');
    const shown = Object.entries(answer.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    return { code: answer.statusCode ?? 0, headers: Object.fromEntries(shown), body };
  }

  #ask(
    method: string,
    path: string,
    headers: IncomingMessage['headers'],
    { account, user }: ApiCaller,
    body?: IncomingMessage,
  ): Promise<IncomingMessage> {
    if (!this.available) throw serviceUnavailable('cut');
    if (account === undefined) throw forbiddenPath(`not for ${user.username}`);
    const others = Object.fromEntries(
      Object.entries(headers).filter(([name]) => !['authorization', 'host', 'connection'].includes(name)),
    );
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(`${this.#cluster.url}${path}`, {
        method,
        headers: { ...others, [CALLER_HEADER]: JSON.stringify(user) },
        agent: false,
      });
      outgoing.once('response', resolve).once('error', reject);
      if (body === undefined) outgoing.end();
      else body.pipe(outgoing);
    });
  }
}
