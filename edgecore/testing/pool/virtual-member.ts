import type { Credentials } from '@hawser/proto';
import { silentLogger, type Clock, type Logger, type Random } from '@hawser/seams';
import { DeltaEncoder, SyncError, VersionCache, type PoolCommit, type PoolView } from '@hawser/sync';
import { MemoryReplicaStore } from '@hawser/sync/testing';
import type { PodAddresses } from '../../src/pool/address-signature.ts';
import { compareVersions } from '../../src/pool/leader-order.ts';
import { PoolMember } from '../../src/pool/pool-member.ts';
import type { SnapshotStore } from '../../src/pool/snapshot-folder.ts';
import type { ModelCloud } from './model-cloud.ts';
import { ModelLine } from './model-line.ts';
import { MODEL_LIFE } from './model-resources.ts';
import { ModelSession } from './model-session.ts';
import { ProcessClock } from './process-clock.ts';
import type { VirtualLan } from './virtual-lan.ts';

/** What a {@link VirtualMember} is made of. */
export interface VirtualMemberOptions {
  readonly node: string;
  readonly lan: VirtualLan;
  readonly cloud: ModelCloud;
  readonly clock: Clock;
  readonly random: Random;
  /** How long both ends take to notice that the way to the cloud is cut. Default 30 s. */
  readonly noticeMs?: number;
  /** Between two signs of life of a session with the cloud. Default 10 s. */
  readonly hubHeartbeatMs?: number;
  readonly credentials?: () => Credentials;
  readonly log?: Logger;
  /** Hears of what must not be. */
  readonly onFault: (what: string) => void;
}

/** Snapshots that outlive the process. */
class MemorySnapshots implements SnapshotStore {
  readonly kept = new Map<string, Uint8Array>();
  writable = true;

  probe(): Promise<void> {
    return Promise.resolve();
  }

  load(scope: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.kept.get(scope));
  }

  save(scope: string, snapshot: Uint8Array): Promise<void> {
    if (!this.writable) return Promise.reject(new Error('the disk takes no writes'));
    this.kept.set(scope, snapshot);
    return Promise.resolve();
  }

  keepOnly(scopes: readonly string[]): Promise<void> {
    for (const scope of [...this.kept.keys()]) if (!scopes.includes(scope)) this.kept.delete(scope);
    return Promise.resolve();
  }

  setAside(scope: string): Promise<void> {
    this.kept.delete(scope);
    return Promise.resolve();
  }
}

/** How long a node takes to connect again. */
const RECONNECT_MS = 1_000;

/** A node with a `PoolMember`, over a virtual LAN and a modelled cloud: its process comes and goes, its disk stays. */
export class VirtualMember {
  readonly node: string;
  readonly snapshots = new MemorySnapshots();
  readonly replica = new MemoryReplicaStore();
  readonly line: ModelLine;
  /** Its pods, as they are now. */
  pods: PodAddresses = new Map();
  /** Leaders whose states it refused. */
  readonly refused: string[] = [];
  /** Versions that readers were shown, by scope. */
  readonly shown = new Map<string, string>();
  /** Commits that readers heard of. */
  readonly commits: PoolCommit[] = [];
  process: ProcessClock;
  readonly #options: VirtualMemberOptions;
  readonly #memory = new Map<string, Uint8Array>();
  #member: PoolMember | undefined;
  #session: ModelSession | undefined;
  #lastHeardMs = -Infinity;
  #life = 0;
  /** The life of the cluster that the node has accepted; it is on its disk. */
  #incarnation: string = MODEL_LIFE.incarnation;

  constructor(options: VirtualMemberOptions) {
    this.#options = options;
    this.node = options.node;
    this.process = new ProcessClock(options.clock);
    this.line = new ModelLine(options.clock, 10);
  }

  /** The member of the present process. */
  get member(): PoolMember {
    if (this.#member === undefined) throw new TypeError(`${this.node} does not run`);
    return this.#member;
  }

  get runs(): boolean {
    return this.#member !== undefined && !this.process.dead;
  }

  /** The life of the cluster that the node has accepted. */
  get life(): string {
    return this.#incarnation;
  }

  get scope(): string {
    return `node/${this.node}`;
  }

  get state(): string {
    return this.member.run?.view.status().state ?? 'none';
  }

  get leads(): boolean {
    return this.runs && (this.member.run?.view.leads ?? false);
  }

  /** Whether it leads and gives what it has. */
  get isReadyLeader(): boolean {
    return this.leads && this.member.run?.view.status().ready === true;
  }

  get leader(): string {
    return this.member.run?.view.status().leader ?? '';
  }

  view(resource: string): PoolView | undefined {
    return this.member.view(resource);
  }

  /** Starts the process, and its session with the cloud where there is a way. */
  async start(): Promise<void> {
    const { lan, clock, random, credentials, log = silentLogger } = this.#options;
    const { node } = this;
    this.#life += 1;
    this.#lastHeardMs = -Infinity;
    const { skewMs } = this.process;
    const process = new ProcessClock(clock);
    this.process = process;
    process.skewMs = skewMs;
    // Its readers are gone with it: what they were shown last may not have been on the disk yet.
    this.shown.clear();
    const member = new PoolMember({
      ...{ node, scope: this.scope, replica: this.#replicaOf(process), clock: process, random },
      life: () => ({ ...MODEL_LIFE, incarnation: this.#incarnation }),
      hub: this.#hub(process),
      requests: { request: (kind, body, options) => this.#request(kind, body, options?.timeoutMs ?? 30_000) },
      outbox: {
        putVolatile: (message) => process.run(() => this.#session?.report(message)),
        withdraw: () => {},
      },
      link: lan.join(node, process),
      encoder: new DeltaEncoder({ versions: new VersionCache(1 << 20), threadAboveBytes: Infinity }),
      snapshots: this.snapshots,
      memory: {
        get: (key) => this.#memory.get(key),
        set: (key, bytes) => {
          this.#memory.set(key, bytes);
          return Promise.resolve();
        },
      },
      pods: {
        own: () => this.pods,
        wallMs: () => clock.wallMs(),
        credentials:
          credentials ??
          (() => {
            throw new TypeError('this node has no certificate');
          }),
      },
      onRefused: (leader) => this.refused.push(leader),
      log: log.child({ node }),
    });
    this.#member = member;
    this.#watch(member);
    await member.start();
    if (!this.line.isCut) this.#connect();
  }

  /** The process is gone. @param silently as with the power of the machine */
  kill(silently = false): void {
    this.process.die();
    this.#options.lan.kill(this.node, silently);
    const session = this.#session;
    this.#session = undefined;
    if (silently) this.#options.clock.setTimer(this.#noticeMs, () => session?.end());
    else session?.end();
    this.#member = undefined;
  }

  /** The process is stopped in good order. */
  async stop(): Promise<void> {
    const member = this.#member;
    await member?.stop();
    this.#session?.end();
    this.#session = undefined;
    this.process.die();
    this.#options.lan.kill(this.node);
    this.#member = undefined;
  }

  /** The way to the cloud is cut. @param noticed whether both ends know it at once */
  cutCloud(noticed = false): void {
    this.line.cut();
    const session = this.#session;
    if (noticed) this.#disconnect(session);
    else {
      this.#options.clock.setTimer(this.#noticeMs, () => {
        if (this.line.isCut) this.#disconnect(session);
      });
    }
  }

  healCloud(): void {
    this.line.heal();
    // With another life the hub has ended all sessions: this one hears of it now.
    if (this.#options.cloud.resources.incarnation !== this.#incarnation) this.#disconnect(this.#session);
    const life = this.#life;
    // A process that is stopped connects once it goes on, where there is a way then.
    const connect = (): void => {
      if (this.#life === life && this.runs && !this.line.isCut && this.#session === undefined)
        this.#connect();
    };
    if (this.#session === undefined)
      this.#options.clock.setTimer(RECONNECT_MS, () => this.process.run(connect));
  }

  get #noticeMs(): number {
    return this.#options.noticeMs ?? 30_000;
  }

  #connect(): void {
    const { cloud, clock, hubHeartbeatMs = 10_000 } = this.#options;
    const { node, scope, line, replica, process } = this;
    const { incarnation } = cloud.resources;
    // Versions are compared within one life.
    if (incarnation !== this.#incarnation) this.shown.clear();
    this.#incarnation = incarnation;
    const session = new ModelSession({
      ...{ node, scope, cloud, line, replica, clock, process, heartbeatMs: hubHeartbeatMs },
    });
    this.#session = session;
    session.start();
    this.#member?.setConnected(true);
  }

  #disconnect(session: ModelSession | undefined): void {
    session?.end();
    if (session === undefined || this.#session !== session) return;
    this.#lastHeardMs = session.heardMs;
    this.#session = undefined;
    this.line.drop();
    this.process.run(() => this.#member?.setConnected(false));
  }

  /** The disk, as a process sees it: one that is dead sees nothing any more. */
  #replicaOf(process: ProcessClock): ConstructorParameters<typeof PoolMember>[0]['replica'] {
    const { replica } = this;
    return {
      entries: (scope) => replica.entries(scope),
      read: (scope, key) => replica.read(scope, key),
      listen: (listener) =>
        replica.listen((scope, keys) => {
          process.run(() => listener(scope, keys));
        }),
    };
  }

  #hub(process: ProcessClock): ConstructorParameters<typeof PoolMember>[0]['hub'] {
    const session = (): ModelSession | undefined => (process.dead ? undefined : this.#session);
    const lastMs = (): number => this.#lastHeardMs;
    return {
      get usable() {
        return session()?.ended === false;
      },
      get heardMs() {
        return session()?.heardMs ?? lastMs();
      },
      ping: () => session()?.ping() ?? Promise.reject(new SyncError('ERR_SYNC_SESSION_ENDED', 'no session')),
      follow: (replica, options) => session()?.follow(replica, options),
    };
  }

  #request(kind: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const session = this.#session;
    if (session === undefined) return Promise.reject(new SyncError('ERR_SYNC_SESSION_ENDED', 'no session'));
    return session.request(kind, body, timeoutMs);
  }

  /** Whatever happens, no reader is shown an older version than before. */
  #watch(member: PoolMember): void {
    const watched = new Map<string, () => void>();
    const look = (): void => {
      const present = new Set<string>();
      for (const resource of [...member.resources().keys(), 'poolrosters.hawser.dev']) {
        const view = member.view(resource);
        if (view === undefined) continue;
        present.add(view.scope);
        if (watched.has(view.scope)) continue;
        this.#note(view.scope, view.version);
        const stop = view.listen((commit) => {
          this.#note(commit.scope, commit.version);
          this.commits.push(commit);
        });
        watched.set(view.scope, stop);
      }
      // What is not shared here any more begins anew if it is again.
      for (const [scope, stop] of [...watched]) {
        if (present.has(scope)) continue;
        stop();
        watched.delete(scope);
        this.shown.delete(scope);
      }
    };
    member.listen(look);
    look();
  }

  #note(scope: string, version: string): void {
    const before = this.shown.get(scope) ?? '';
    if (version !== '' && compareVersions(version, before) < 0)
      this.#options.onFault(`${this.node}: ${scope} went from ${before} back to ${version}`);
    if (version !== '') this.shown.set(scope, version);
  }
}
