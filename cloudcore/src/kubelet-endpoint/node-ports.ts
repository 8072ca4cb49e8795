import { createHash } from 'node:crypto';
import { Server, type Socket } from 'node:net';
import type { Logger } from '@hawser/seams';

/** Settings of {@link NodePorts}. */
export interface NodePortsOptions {
  /** Address to listen on. */
  readonly host: string;
  /** Both included. */
  readonly range: { readonly first: number; readonly last: number };
  /** Takes the connections of every port; see {@link NodePorts.nodeOf}. */
  readonly onSocket: (socket: Socket) => void;
  readonly log: Logger;
}

interface NodePort {
  readonly port: number;
  readonly server: Server;
}

/** Ports of other programs that are passed over before a node gets none. */
const MAX_BUSY = 256;
const BACKLOG = 64;

/**
 * One TCP port for each node, out of a range: an API server that asks `/stats/summary` names no node, and so only the
 * port can tell which is meant. The first that is tried comes of a hash of the node's name, so that a node mostly has
 * the same one after a restart and at other replicas; what others have is passed over. A port that is open stays open
 * until {@link close}: a node that comes back needs no write.
 */
export class NodePorts {
  readonly #options: NodePortsOptions;
  readonly #byNode = new Map<string, Promise<NodePort | undefined>>();
  readonly #byPort = new Map<number, string>();
  readonly #onSocket: (socket: Socket) => void;
  readonly #closing = new Set<Promise<void>>();
  #stopped = false;

  constructor(options: NodePortsOptions) {
    this.#options = options;
    this.#onSocket = (socket) => options.onSocket(socket);
  }

  /** Ports that are open, or about to be. */
  get size(): number {
    return this.#byPort.size;
  }

  /** Nodes that have a port. */
  nodes(): IterableIterator<string> {
    return this.#byNode.keys();
  }

  /** The node that a connection to this port is for. */
  nodeOf(port: number | undefined): string | undefined {
    return port === undefined ? undefined : this.#byPort.get(port);
  }

  /** Opens the node's port, if it has none yet. Undefined: none is free, which is in the log; the next call tries again. */
  async open(node: string): Promise<number | undefined> {
    if (this.#stopped) return undefined;
    let opening = this.#byNode.get(node);
    if (opening === undefined) {
      opening = this.#open(node);
      this.#byNode.set(node, opening);
    }
    const found = await opening;
    if (found === undefined && this.#byNode.get(node) === opening) this.#byNode.delete(node);
    return found?.port;
  }

  /** Gives the node's port back. Connections that are there stay. */
  async close(node: string): Promise<void> {
    const opening = this.#byNode.get(node);
    if (opening === undefined) return;
    this.#byNode.delete(node);
    const found = await opening;
    if (found === undefined) return;
    this.#byPort.delete(found.port);
    const closed = new Promise<void>((resolve) => void found.server.close(() => resolve()));
    this.#closing.add(closed);
    // Resolves when its last connection has ended, too: nobody but stop() waits for that.
    void closed.then(() => this.#closing.delete(closed));
  }

  /** Closes all; resolves when the last connection has ended, which is the caller's to end. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#byNode.keys()].map((node) => this.close(node)));
    await Promise.all(this.#closing);
  }

  async #open(node: string): Promise<NodePort | undefined> {
    let busy = 0;
    for (const port of candidates(node, this.#options.range)) {
      if (this.#byPort.has(port)) continue;
      this.#byPort.set(port, node);
      try {
        return { port, server: await this.#listen(port) };
      } catch (err) {
        this.#byPort.delete(port);
        const { code } = err as NodeJS.ErrnoException; // listen fails with no others
        busy += 1;
        if (code === 'EADDRINUSE' && busy < MAX_BUSY) continue;
        this.#options.log.error(
          { node, port, err },
          'no port for the node: kubectl logs and exec do not reach it',
        );
        return undefined;
      }
    }
    const { first, last } = this.#options.range;
    this.#options.log.error(
      { node, first, last },
      'all ports of kubelet.portRange are taken: make it larger',
    );
    return undefined;
  }

  #listen(port: number): Promise<Server> {
    // Half-open: what is left to say after the client's last word is still said.
    const server = new Server({ allowHalfOpen: true, noDelay: true }, this.#onSocket);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: this.#options.host, port, backlog: BACKLOG }, () => {
        server.removeListener('error', reject);
        // Out of file descriptors, for one: this connection is lost, the port is not.
        server.on('error', (err) => this.#options.log.warn({ port, err }, 'connection not accepted'));
        resolve(server);
      });
    });
  }
}

/** Every port of the range once, in an order that the name decides: two nodes that want the same first go apart. */
function* candidates(node: string, { first, last }: { first: number; last: number }): Generator<number> {
  const size = last - first + 1;
  const hash = createHash('sha256').update(node).digest();
  const start = hash.readUInt32BE(0) % size;
  let step = 1 + (hash.readUInt32BE(4) % size);
  while (greatestCommonDivisor(step, size) !== 1) step += 1;
  for (let index = 0; index < size; index++) yield first + ((start + index * step) % size);
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right);
}
