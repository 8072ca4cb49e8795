import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { HubIdentity, type HubIdentityOptions, type TokenOrder } from '@hawser/cloudcore';
import { joinCluster, NodeIdentity, type JoinOptions, type JoinResult } from '@hawser/edgecore';
import { HttpApiClient } from '@hawser/kube';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import {
  HandshakeGate,
  tunnelLimits,
  WsTransport,
  type Connection,
  type Credentials,
  type HubAddress,
  type Listener,
  type PeerIdentity,
} from '@hawser/proto';
import { systemClock, type Clock } from '@hawser/seams';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';

export const DAY_MS = 86_400_000;

/** The machine's clock with a wall time that a test can shift; timers are real. */
export class ShiftedClock implements Clock {
  shiftMs = 0;

  wallMs(): number {
    return systemClock.wallMs() + this.shiftMs;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  setTimer(...args: Parameters<Clock['setTimer']>): ReturnType<Clock['setTimer']> {
    return systemClock.setTimer(...args);
  }
}

/** A cluster with one hub on a real port, and folders for machines that join it. */
export class IdentitySite {
  /** The clock of the hub. */
  readonly clock = new ShiftedClock();
  /** Answers a request in place of the hub, if it answers true. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  /** Nodes that were let in, in order. */
  readonly admitted: PeerIdentity[] = [];
  readonly #options: Partial<HubIdentityOptions>;
  readonly #connections = new Set<Connection>();
  readonly #undo: (() => Promise<void>)[] = [];
  #fixture: KubeFixture | undefined;
  #client: HttpApiClient | undefined;
  #identity: HubIdentity | undefined;
  #listener: Listener | undefined;
  #temp: TempDir | undefined;

  constructor(options: Partial<HubIdentityOptions> = {}) {
    this.#options = options;
  }

  async start(): Promise<this> {
    this.#temp = await makeTempDir();
    const fixture = await startKubeFixture({ server: { limits: { stopMs: 50 } } });
    this.#fixture = fixture;
    const client = new HttpApiClient({ server: fixture.url });
    this.#client = client;
    const identity = new HubIdentity({
      client,
      names: [],
      loopback: true,
      clock: this.clock,
      ...this.#options,
    });
    this.#identity = identity;
    await identity.start();
    const transport = new WsTransport({
      limits: tunnelLimits(),
      credentials: () => identity.credentials(),
      verify: { isRevoked: (peer) => identity.isRevoked(peer), wallMs: () => this.clock.wallMs() },
    });
    this.#listener = await transport.listen({
      host: '127.0.0.1',
      port: 0,
      gate: new HandshakeGate(tunnelLimits()),
      onConnection: (connection) => {
        this.admitted.push(connection.peer);
        this.#connections.add(connection);
        return Promise.resolve();
      },
      onRequest: (request, response) => {
        if (!this.intercept(request, response)) identity.serve(request, response);
      },
    });
    this.#undo.push(
      () => transport.close(),
      () => identity.stop(),
    );
    return this;
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections)
      connection.destroy({ code: 'normal', message: 'the test is over' });
    await this.#listener?.close();
    for (const undo of this.#undo) await undo();
    this.#client?.close();
    await this.#fixture?.stop();
    await this.#temp?.remove();
  }

  get hub(): HubAddress {
    return { host: '127.0.0.1', port: started(this.#listener).port };
  }

  get identity(): HubIdentity {
    return started(this.#identity);
  }

  get client(): HttpApiClient {
    return started(this.#client);
  }

  /** A machine's folder. */
  folder(name: string): string {
    return path.join(started(this.#temp).path, name);
  }

  async token(order: TokenOrder = {}): Promise<string> {
    return (await this.identity.tokens.create(order)).token;
  }

  /** Joins from a machine of the node's name, with a new token. */
  async join(node: string, options: Partial<JoinOptions> = {}, order: TokenOrder = {}): Promise<JoinResult> {
    return await joinCluster({
      hub: this.hub,
      node,
      token: options.token ?? (await this.token(order)),
      folder: this.folder(node),
      ...options,
    });
  }

  /** Dials the tunnel as an edge does, and tells its identity how it went. */
  async dial(
    identity: NodeIdentity,
    wallMs: () => number = () => systemClock.wallMs(),
  ): Promise<Credentials> {
    let used: Credentials | undefined;
    const transport = new WsTransport({
      limits: tunnelLimits(),
      credentials: () => (used = identity.credentials()),
      verify: { wallMs },
    });
    try {
      const connection = await transport.dial(this.hub);
      await connection.close({ code: 'normal', message: 'that was all' });
      if (used !== undefined) await identity.confirm(used);
    } catch (error) {
      if (used !== undefined) identity.refused(used);
      throw error;
    } finally {
      await transport.close();
    }
    return started(used);
  }

  /** The identity that a machine has on disk. */
  load(name: string): Promise<NodeIdentity> {
    return NodeIdentity.load({ folder: this.folder(name) });
  }
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new TypeError('the site has not been started');
  return part;
}
