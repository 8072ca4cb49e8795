import {
  TunnelClient,
  TunnelServer,
  tunnelLimits,
  WsTransport,
  type Credentials,
  type FrameHandler,
  type Listener,
  type PeerIdentity,
  type Tunnel,
  type TunnelLimits,
} from '@hawser/proto';
import { deferred, type Clock, type Logger, type Random } from '@hawser/seams';
import type { ClusterIdentity } from '@hawser/sync';
import { readAddress } from './lan-address.ts';
import type { PeerFrames, PeerGate, PeerLink, PeerPipe } from './peer-link.ts';

/** Settings of a {@link LanLink}. */
export interface LanLinkOptions {
  readonly node: string;
  /** Software and release: `edgecore/0.1.0`. */
  readonly software: string;
  /** `pool.listen`; empty: no port is opened. */
  readonly listen: string;
  /** Address by which peers reach this node, without its port; empty: not known now. Asked each time. */
  readonly address: () => string;
  /** The node's certificate, asked at each handshake: a renewed one is used at once. */
  readonly credentials: () => Credentials;
  /** Whether a certificate is on the deny list. */
  readonly isRevoked: (identity: PeerIdentity) => boolean;
  /** Trusted wall time, milliseconds. */
  readonly wallMs: () => number;
  /** The cluster that this node has accepted; members of another one are none. */
  readonly life: () => ClusterIdentity | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The LAN is small: what a hub lets in would be too much for a node. Frames and streams are bounded as at a hub. */
const LIMITS: Partial<TunnelLimits> = {
  maxStreams: 2,
  maxHandshakes: 16,
  maxHandshakesPerAddress: 8,
  maxWaitingHandshakes: 128,
  maxWaitingHandshakesPerAddress: 16,
  handshakesPerSecond: 50,
  maxConnections: 1_024,
  // Half of a large pool may be behind one address; who has one has shown a certificate of the pool.
  maxConnectionsPerAddress: 512,
};
/** Of the tunnel itself: members have heartbeats of their own, which are shorter. */
const HEARTBEAT_MS = 30_000;

/**
 * The LAN over sockets: sessions of the tunnel's protocol over ws, TLS 1.3, node certificates on both sides. Nothing
 * goes through it but frames of pools: a stream that a peer opens is reset.
 */
export class LanLink implements PeerLink {
  readonly #options: LanLinkOptions;
  readonly #limits = tunnelLimits(LIMITS);
  readonly #transport: WsTransport;
  #server: TunnelServer | undefined;
  #listener: Listener | undefined;
  readonly #clients = new Set<TunnelClient>();

  constructor(options: LanLinkOptions) {
    const { credentials, isRevoked, wallMs } = options;
    this.#options = options;
    this.#transport = new WsTransport({
      credentials,
      limits: this.#limits,
      verify: { isRevoked, wallMs },
      peers: true,
    });
  }

  get endpoint(): string {
    const { address } = this.#options;
    const host = address();
    if (this.#listener === undefined || host === '') return '';
    return `${host.includes(':') ? `[${host}]` : host}:${this.#listener.port}`;
  }

  async open(gate: PeerGate): Promise<void> {
    const { listen, software, life, clock, random, log } = this.#options;
    const where = readAddress(listen);
    if (where === undefined || this.#server !== undefined) return;
    const { clusterUid, incarnation } = life() ?? { clusterUid: '', incarnation: '' };
    const server = new TunnelServer({
      welcome: { software, clusterUid, incarnation, heartbeatMs: HEARTBEAT_MS },
      authorize: ({ node }, { peer }) => {
        const why = gate.refusal(node, peer.fingerprint);
        return Promise.resolve(why === undefined ? undefined : { code: 'unauthorized', message: why });
      },
      onTunnel: (tunnel) => serve(tunnel, gate.accept(pipeOf(tunnel, tunnel.info.node))),
      ...{ limits: this.#limits, clock, random, log },
    });
    this.#server = server;
    try {
      this.#listener = await server.listen(this.#transport, where);
    } catch (error) {
      this.#server = undefined;
      await server.stop();
      throw error;
    }
  }

  async dial(
    peer: string,
    endpoint: string,
    onPipe: (pipe: PeerPipe) => PeerFrames,
    signal: AbortSignal,
  ): Promise<PeerPipe> {
    const { node, software, life, clock, random, log } = this.#options;
    signal.throwIfAborted();
    const where = readAddress(endpoint);
    if (where === undefined) throw new TypeError(`${endpoint} is no address of a peer`);
    const reached = deferred<PeerPipe>();
    const clusterUid = life()?.clusterUid;
    const client: TunnelClient = new TunnelClient({
      routes: [{ transport: this.#transport, hub: { ...where, node: peer } }],
      hello: () => ({
        ...{ node, software, heartbeatMs: HEARTBEAT_MS },
        ...(clusterUid !== undefined && { clusterUid }),
      }),
      onTunnel: (tunnel) => {
        const pipe = pipeOf(tunnel, peer);
        reached.resolve(pipe);
        return serve(tunnel, onPipe(pipe));
      },
      // One attempt, one session: who asks decides whether there is to be another.
      onDown: (error) => {
        reached.reject(error);
        this.#end(client);
      },
      ...{ limits: this.#limits, clock, random, log: quieter(log) },
    });
    const onAbort = (): void => {
      reached.reject(signal.reason);
      this.#end(client);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#clients.add(client);
    client.start();
    try {
      return await reached.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#listener = undefined;
    await Promise.all([server?.stop(), ...[...this.#clients].map((client) => client.stop())]);
    this.#clients.clear();
  }

  #end(client: TunnelClient): void {
    this.#clients.delete(client);
    client.stop().catch((error: unknown) => {
      this.#options.log.warn({ err: error }, 'a link with a peer did not end in good order');
    });
  }
}

/** Frames go to the pool; streams go nowhere. */
function serve(tunnel: Tunnel, onFrame: PeerFrames): FrameHandler {
  void refuseStreams(tunnel);
  return onFrame;
}

async function refuseStreams(tunnel: Tunnel): Promise<void> {
  for (let stream = await tunnel.acceptStream(); stream !== undefined; stream = await tunnel.acceptStream())
    stream.reset();
}

function pipeOf(tunnel: Tunnel, peer: string): PeerPipe {
  return {
    peer,
    fingerprint: tunnel.peer.fingerprint,
    send: (frame) => tunnel.send(frame),
    close: (why) => void tunnel.close({ code: 'normal', message: why }),
    closed: tunnel.closed.then(({ message, code }) => (message === '' ? code : message)),
  };
}

/** A peer that cannot be reached is tried again and again, and the pool says once what follows from it. */
function quieter(log: Logger): Logger {
  const { debug, error } = log;
  return { debug, info: debug, warn: debug, error, child: (fields) => quieter(log.child(fields)) };
}
