import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { deferred } from '@hawser/seams';

/** A request on its way to the API server. */
export interface ProxiedRequest {
  readonly method: string;
  /** Path with its query. */
  readonly url: string;
}

interface Cluster {
  readonly server: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * A proxy before an API server, in this process, for one hub: what it does not let through yet waits, unanswered, as
 * with an API server that is overloaded. It speaks plain HTTP on loopback and has the rights of the kubeconfig.
 */
export class ApiProxy {
  readonly #cluster: Cluster;
  readonly #server: Server;
  readonly #agent: Agent;
  #stalls: (asked: ProxiedRequest) => boolean = () => false;
  #released = deferred();
  #stalled = 0;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#agent = new Agent({ keepAlive: true, ca: cluster.ca, cert: cluster.cert, key: cluster.key });
    this.#server = createServer((asked, answer) => void this.#serve(asked, answer));
  }

  /** Starts one. @param kubeconfig of the control plane of a site */
  static async open(kubeconfig: string): Promise<ApiProxy> {
    const proxy = new ApiProxy(readCluster(await readFile(kubeconfig, 'utf8')));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** Requests that wait now. */
  get stalled(): number {
    return this.#stalled;
  }

  /** Writes a kubeconfig whose server is this proxy. */
  async writeKubeconfig(file: string): Promise<void> {
    const { port } = this.#server.address() as AddressInfo; // it listens on a port
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      // client-node speaks plain HTTP only with somebody who says that it may be insecure.
      clusters: [
        {
          name: 'proxy',
          cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true },
        },
      ],
      users: [{ name: 'nobody', user: {} }],
      contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'nobody' } }],
      'current-context': 'proxy',
    };
    await writeFile(file, JSON.stringify(config));
  }

  /** From now on these requests wait; and so do further events of watches that are under way. */
  stall(which: (asked: ProxiedRequest) => boolean): void {
    this.#stalls = which;
  }

  /** Everything passes again, what waited included. */
  release(): void {
    this.#stalls = () => false;
    this.#released.resolve();
    this.#released = deferred();
  }

  async stop(): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#agent.destroy();
  }

  async #serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = asked;
    const what = { method, url };
    await this.#passing(what);
    if (answer.destroyed) return;
    const upstream = request(new URL(url, this.#cluster.server), { method, headers, agent: this.#agent });
    answer.on('close', () => upstream.destroy());
    upstream.on('error', () => answer.destroy());
    upstream.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      answer.flushHeaders();
      void this.#forward(what, response, answer);
    });
    asked.pipe(upstream);
  }

  async #forward(what: ProxiedRequest, from: IncomingMessage, to: ServerResponse): Promise<void> {
    try {
      for await (const chunk of from) {
        await this.#passing(what);
        to.write(chunk);
      }
      to.end();
    } catch {
      to.destroy(); // one of the two sides has gone: the other hears of it
    }
  }

  async #passing(what: ProxiedRequest): Promise<void> {
    while (this.#stalls(what)) {
      this.#stalled += 1;
      await this.#released.promise;
      this.#stalled -= 1;
    }
  }
}

/** Reads what `kubeconfig` of @hawser/controlplane writes. */
function readCluster(text: string): Cluster {
  const config = JSON.parse(text) as {
    clusters: { cluster: Record<string, string> }[];
    users: { user: Record<string, string> }[];
  };
  const cluster = config.clusters[0]?.cluster ?? {};
  const user = config.users[0]?.user ?? {};
  const pem = (value = ''): string => Buffer.from(value, 'base64').toString();
  return {
    server: cluster['server'] ?? '',
    ca: pem(cluster['certificate-authority-data']),
    cert: pem(user['client-certificate-data']),
    key: pem(user['client-key-data']),
  };
}
