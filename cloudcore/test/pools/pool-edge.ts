import {
  TunnelClient,
  tunnelLimits,
  WsTransport,
  type Credentials,
  type SessionFrame,
  type Tunnel,
} from '@hawser/proto';
import { eventually } from '@hawser/seams/testing';
import {
  isSignedBy,
  packUpstream,
  POOL_RESOURCES,
  poolScope,
  PoolStore,
  publicKeyFromRaw,
  readSignedState,
  ScopeReplica,
  stateSubject,
  SyncError,
  unpackJson,
  type CheckedState,
  type PoolMembership,
  type PoolView,
  type ReplicaSession,
  type UpstreamBodies,
  type UpstreamKind,
} from '@hawser/sync';
import { MemoryReplicaStore } from '@hawser/sync/testing';

/** What became of something that an edge has said. */
export interface SaidOutcome {
  readonly status: number;
  readonly message: string;
  readonly retryAfterMs: number;
  readonly answer: unknown;
}

/** How a scope of a pool is asked for. */
export interface FollowAs {
  readonly epoch?: number;
  readonly direct?: boolean;
}

const PING_MS = 100;
const WAIT = { deadlineMs: 10_000 };

/** An edge of the protocol, as far as pools go: its own scope, scopes of pools, what it says. */
export class PoolEdge {
  readonly node: string;
  readonly own = new MemoryReplicaStore();
  readonly pools: PoolStore;
  /** `SessionError`s about scopes: `<scope> <code>`. */
  readonly errors: { scope: number; code: string; message: string }[] = [];
  /** Deltas that came, by scope number: bytes. */
  readonly bytes = new Map<number, number>();
  #port: number;
  readonly #credentials: Credentials;
  readonly #sessions = new Map<number, ReplicaSession>();
  readonly #acks = new Map<number, (outcome: SaidOutcome) => void>();
  readonly #replicas = new Map<string, ScopeReplica>();
  #client: TunnelClient | undefined;
  #warming: NodeJS.Timeout | undefined;
  #sequence = 0;
  #scopes = 1;
  /** The error that a replica ended its scope with. */
  failed: Error | undefined;

  constructor(port: number, credentials: Credentials, node: string) {
    this.node = node;
    this.#port = port;
    this.#credentials = credentials;
    this.pools = new PoolStore({ check: (scope, stamp) => this.#check(scope, stamp) });
  }

  get tunnel(): Tunnel {
    const tunnel = this.#client?.tunnel;
    if (tunnel === undefined) throw new TypeError('the edge has no session');
    return tunnel;
  }

  /** Begins a session; its own scope is followed. @param port of another hub than before */
  async connect(port = this.#port): Promise<void> {
    this.#port = port;
    const transport = new WsTransport({ credentials: () => this.#credentials, limits: tunnelLimits() });
    const client = new TunnelClient({
      routes: [{ transport, hub: { host: '127.0.0.1', port: this.#port } }],
      hello: () => ({ node: this.node, software: 'edge/test', heartbeatMs: 2000 }),
      onTunnel: () => (frame) => this.#onFrame(frame),
    });
    this.#client = client;
    // As a leader keeps its session warm.
    this.#warming = setInterval(() => void client.tunnel?.ping().catch(() => {}), PING_MS);
    client.start();
    await eventually(`a session of ${this.node}`, () => client.tunnel !== undefined, WAIT);
    this.#open(1, new ScopeReplica({ scope: `node/${this.node}`, store: this.own }), {});
  }

  async disconnect(): Promise<void> {
    for (const session of this.#sessions.values()) session.end();
    this.#sessions.clear();
    clearInterval(this.#warming);
    await this.#client?.stop();
    this.#client = undefined;
  }

  /** Its membership; undefined: none came yet. */
  async membership(): Promise<PoolMembership | undefined> {
    const scope = `node/${this.node}`;
    for (const [key] of this.own.entries(scope)) {
      if (!key.startsWith(`${POOL_RESOURCES.membership}/`)) continue;
      const bytes = await this.own.read(scope, key);
      if (bytes !== undefined)
        return (JSON.parse(Buffer.from(bytes).toString()) as { spec: PoolMembership }).spec;
    }
    return undefined;
  }

  /** Waits for a membership that fits. */
  async told(what: string, fits: (membership: PoolMembership) => boolean): Promise<PoolMembership> {
    let found: PoolMembership | undefined;
    await eventually(
      `${this.node} is told ${what}`,
      async () => {
        found = await this.membership();
        return found !== undefined && fits(found);
      },
      WAIT,
    );
    if (found === undefined) throw new TypeError('no membership');
    return found;
  }

  /** Subscribes to a resource of a pool. Answers the scope's number. */
  follow(pool: string, resource: string, as: FollowAs = {}): number {
    const scope = poolScope(pool, resource);
    const replica =
      this.#replicas.get(scope) ??
      new ScopeReplica({ scope, store: this.pools, checks: this.pools.checks(scope) });
    this.#replicas.set(scope, replica);
    this.#scopes += 1;
    this.#open(this.#scopes, replica, as);
    return this.#scopes;
  }

  /** Ends a subscription. */
  async unfollow(scope: number): Promise<void> {
    this.#sessions.get(scope)?.end();
    this.#sessions.delete(scope);
    await this.tunnel.send({ unsubscribe: { scope } });
  }

  view(pool: string, resource: string): PoolView {
    return this.pools.view(poolScope(pool, resource));
  }

  replica(pool: string, resource: string): ScopeReplica | undefined {
    return this.#replicas.get(poolScope(pool, resource));
  }

  /** Names of the objects that are committed of a resource, in order. */
  names(pool: string, resource: string): readonly string[] {
    return [...this.view(pool, resource).contents()].map(({ key }) => key.split('/')[2] ?? '').sort();
  }

  /** The error about a scope. */
  async error(scope: number): Promise<{ code: string; message: string }> {
    const find = (): { code: string; message: string } | undefined =>
      this.errors.find((error) => error.scope === scope);
    await eventually(`an error about scope ${scope} at ${this.node}`, () => find() !== undefined, WAIT);
    return find() ?? { code: '', message: '' };
  }

  /** Says something, and waits for the answer. */
  async say<K extends UpstreamKind>(kind: K, body: UpstreamBodies[K]): Promise<SaidOutcome> {
    this.#sequence += 1;
    const sequence = this.#sequence;
    const outcome = new Promise<SaidOutcome>((resolve) => this.#acks.set(sequence, resolve));
    await this.tunnel.send({ upstream: { sequence, kind, body: packUpstream(body) } });
    return outcome;
  }

  /** Says how it is, as a member that may lead. */
  report(pool: string, more: Partial<UpstreamBodies['pool-report']> = {}): Promise<SaidOutcome> {
    const endpoint = `127.0.0.1:${10_000 + Number(this.node.split('-')[1] ?? 0)}`;
    return this.say('pool-report', {
      ...{ pool, endpoint, epoch: 0, version: '', complete: true, writable: true, peers: 0 },
      ...more,
    });
  }

  #open(scopeId: number, replica: ScopeReplica, as: FollowAs): void {
    const session = replica.open({
      ...{ scopeId, ...as },
      send: (frame) => this.tunnel.send(frame),
      onFailed: (error) => (this.failed = error),
    });
    this.#sessions.set(scopeId, session);
  }

  #onFrame(frame: SessionFrame): void {
    if (frame.body === 'delta') {
      const { scope, body } = frame.delta;
      this.bytes.set(scope, (this.bytes.get(scope) ?? 0) + body.length);
      this.#sessions.get(scope)?.onDelta(frame.delta);
    } else if (frame.body === 'error') {
      this.errors.push(frame.error);
      this.#sessions.get(frame.error.scope)?.end();
      this.#sessions.delete(frame.error.scope);
    } else if (frame.body === 'upstreamAck') {
      const { sequence, status, message, retryAfterMs, body } = frame.upstreamAck;
      const answer: unknown = body.length === 0 ? undefined : unpackJson(body);
      this.#acks.get(sequence)?.({ status, message, retryAfterMs, answer });
      this.#acks.delete(sequence);
    }
  }

  #check(scope: string, stamp: Uint8Array): CheckedState {
    const [, pool = '', resource = ''] = scope.split('/');
    const { clusterUid, incarnation } = this.tunnel.info;
    const of = { clusterUid, incarnation, subject: stateSubject(pool, resource) };
    const state = readSignedState(stamp);
    if (state !== undefined && isSignedBy(stamp, of, this.#keys.map(publicKeyFromRaw))) return state;
    throw new SyncError('ERR_SYNC_FORGED', `${scope}: not signed by the hub`);
  }

  #keys: readonly string[] = [];

  /** Takes the keys of its membership. */
  async trust(): Promise<void> {
    this.#keys = (await this.membership())?.keys ?? [];
  }
}
