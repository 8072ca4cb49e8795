import { randomBelow, type Clock, type Random, type Timer } from '@hawser/seams';
import {
  DeltaEncoder,
  parsePoolScope,
  poolResourceName,
  POOL_RESOURCES,
  SOLO_PREFIX,
  UpstreamRefusedError,
  type PoolMembership,
  type PoolResource,
  type UpstreamAnswers,
  type UpstreamBodies,
} from '@hawser/sync';
import { compareVersions } from '../../src/pool/leader-order.ts';
import { poolTimes } from '../../src/pool/pool-times.ts';
import { MODEL_KEY, MODEL_RESOURCES, ModelResources, modelNames } from './model-resources.ts';
import type { ModelSession } from './model-session.ts';

/** Settings of a {@link ModelCloud}. */
export interface ModelCloudOptions {
  readonly pool: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Of the pool; default 5. */
  readonly heartbeatSeconds?: number;
  /** What the API server has; default: resources of its own. Pools of one cluster share them. */
  readonly resources?: ModelResources;
}

/** A stream of a pool's resource that the cloud serves. */
export interface ModelStream {
  readonly node: string;
  readonly resource: string;
  readonly epoch: number;
  readonly direct: boolean;
  readonly end: (code: string, message: string) => void;
}

/** A member as the cloud knows it. */
interface Member {
  session: ModelSession | undefined;
  report: UpstreamBodies['pool-report'] | undefined;
  /** As its Node has it: it outlives the process of the hub. */
  saidEndpoint: string;
  endedMs: number;
  eligible: boolean;
  membership: PoolMembership | undefined;
}

/** What a hub goes by, of heartbeats of 5 s, milliseconds. */
const TIMES = { comeBack: 5_000, silent: 12_000, handover: 7_000, jitter: 30_000, direct: 300_000 } as const;
const PART = 0.1;

/**
 * The cloud's part of pools, modelled: docs/pool.md. Elections, streams with epochs, grants, memberships and the roster;
 * one replica, no API server. States are signed as the hub signs them.
 */
export class ModelCloud {
  readonly pool: string;
  readonly resources: ModelResources;
  readonly encoder = new DeltaEncoder({ threadAboveBytes: Infinity });
  readonly streams = new Set<ModelStream>();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #factor: number;
  readonly #heartbeatSeconds: number;
  readonly #members = new Map<string, Member>();
  /** Of all nodes, whether they are members or not. */
  readonly #sessions = new Map<string, ModelSession>();
  readonly #grants = new Map<string, { readonly fromMs: number; readonly timer: Timer }>();
  readonly #shared = new Map<string, PoolResource>();
  readonly #revoked = new Set<string>();
  #looking = false;
  epoch = 0;
  leader = '';
  /** Nobody is to lead: each member reads for itself. */
  leaderless = false;
  /** Subscribes that were taken and refused, direct ones, and bytes of changes that were sent. */
  readonly counts = { taken: 0, refused: 0, direct: 0, bytes: 0, fulls: 0 };

  constructor({ pool, clock, random, heartbeatSeconds = 5, resources }: ModelCloudOptions) {
    this.pool = pool;
    this.resources = resources ?? new ModelResources();
    this.#clock = clock;
    this.#random = random;
    this.#heartbeatSeconds = heartbeatSeconds;
    this.#factor = poolTimes(heartbeatSeconds).heartbeatMs / 5_000;
    for (const resource of MODEL_RESOURCES) this.#shared.set(poolResourceName(resource), resource);
  }

  /** Most streams of one resource that are open now. */
  get mostStreams(): number {
    const counts = new Map<string, number>();
    for (const { resource, direct } of this.streams)
      if (!direct) counts.set(resource, (counts.get(resource) ?? 0) + 1);
    return Math.max(0, ...counts.values());
  }

  /** Puts a node into the pool. */
  add(node: string, eligible = true): void {
    this.#members.set(node, {
      session: this.#sessions.get(node),
      report: undefined,
      saidEndpoint: '',
      endedMs: -Infinity,
      eligible,
      membership: undefined,
    });
    this.#publish();
  }

  /** Takes a node out of it; it is one of its own then. */
  remove(node: string): void {
    const member = this.#members.get(node);
    this.#members.delete(node);
    this.#endStreams((stream) => stream.node === node, 'ERR_CLOUDCORE_FENCED', 'it is no member any more');
    if (this.leader === node) this.#elect();
    member?.session?.tell(this.#soloOf(node));
    this.#publish();
  }

  /** Another resource is shared, or not any more. */
  share(resource: PoolResource, isShared: boolean): void {
    const name = poolResourceName(resource);
    if (isShared) this.#shared.set(name, resource);
    else this.#shared.delete(name);
    this.#endStreams(
      (stream) => !isShared && stream.resource === name,
      'ERR_CLOUDCORE_FENCED',
      `${name} is not shared any more`,
    );
    this.#publish();
  }

  /** The hub's process is another one: it knows what its Lease says, and nothing that members have said. */
  restarted(): void {
    for (const node of [...this.#grants.keys()]) this.#endGrant(node);
    for (const member of this.#members.values()) {
      member.report = undefined;
      member.membership = undefined;
    }
  }

  /** The API server was restored, and with it the Lease: what it said was an older leader and epoch. */
  restored(leader: string, epoch: number): void {
    this.restarted();
    this.leader = this.#members.has(leader) ? leader : '';
    this.epoch = epoch;
    this.#rosterText = '';
    this.#publish();
  }

  /** The certificate of a node is revoked. */
  revoke(fingerprint: string): void {
    this.#revoked.add(fingerprint);
    this.#publish();
  }

  // ── what sessions call ─────────────────────────────────────────────────────────────────────────────────────

  opened(node: string, session: ModelSession): void {
    // One session of a node at a time: an older one is of a process that is gone.
    this.#sessions.get(node)?.end();
    this.#sessions.set(node, session);
    const member = this.#members.get(node);
    if (member === undefined) {
      session.tell(this.#soloOf(node));
      return;
    }
    member.session = session;
    member.membership = undefined;
    this.#look();
  }

  ended(node: string, session: ModelSession): void {
    this.#endStreams((stream) => stream.node === node, 'ERR_SYNC_SESSION_ENDED', 'the session has ended');
    this.#endGrant(node);
    if (this.#sessions.get(node) === session) this.#sessions.delete(node);
    const member = this.#members.get(node);
    if (member?.session !== session) return;
    member.session = undefined;
    member.endedMs = this.#clock.monotonicMs();
    this.#clock.setTimer(TIMES.comeBack * this.#factor + 1, () => this.#look());
  }

  report(node: string, body: UpstreamBodies['pool-report']): void {
    const member = this.#members.get(node);
    if (member === undefined || body.pool !== this.pool) return;
    member.report = body;
    if (body.resign !== true) member.saidEndpoint = body.endpoint;
    if (body.epoch > this.epoch) {
      // The Lease is behind, as after a restore: its leader goes on in an epoch above all.
      this.epoch = body.epoch + 1;
      this.#endStreams(({ direct }) => !direct, 'ERR_CLOUDCORE_FENCED', `the epoch is ${this.epoch}`);
    }
    if (node === this.leader && body.resign === true) this.#elect();
    this.#publish();
    this.#look();
  }

  claim(node: string, { epoch, silentMs }: UpstreamBodies['pool-claim']): UpstreamAnswers['pool-claim'] {
    if (!this.#isFit(node)) throw refusal('pool-claim', 409, `${node} may not lead`);
    if (this.leader === node || this.epoch > epoch) return { epoch: this.epoch, leader: this.leader };
    const bound = (silentMs === 0 ? TIMES.handover : TIMES.silent) * this.#factor;
    if (this.leader !== '' && this.#silentMs(this.leader) < bound)
      throw refusal('pool-claim', 409, `${this.leader} leads, and was heard`);
    this.#appoint(node);
    return { epoch: this.epoch, leader: this.leader };
  }

  direct(node: string): UpstreamAnswers['pool-direct'] {
    const forMs = TIMES.direct * this.#factor;
    const present = this.#grants.get(node);
    const room = Math.max(1, Math.floor(this.#members.size * PART));
    if (present === undefined && this.#grants.size >= room && !this.leaderless)
      throw refusal('pool-direct', 429, 'as many as may be are direct', TIMES.jitter * this.#factor);
    present?.timer.cancel();
    const nowMs = this.#clock.monotonicMs();
    const fromMs =
      present?.fromMs ??
      nowMs + (this.leaderless ? 0 : randomBelow(this.#random, TIMES.jitter * this.#factor));
    const timer = this.#clock.setTimer(Math.max(0, fromMs - nowMs) + forMs, () => this.#endGrant(node));
    this.#grants.set(node, { fromMs, timer });
    return { afterMs: Math.max(0, fromMs - nowMs), forMs };
  }

  /** Why a stream is not to be had; undefined: it is. */
  refusalOf(
    node: string,
    name: string,
    epoch: number,
    direct: boolean,
  ): { code: string; message: string } | undefined {
    const { pool = '', resource = '' } = parsePoolScope(name) ?? {};
    if (pool === SOLO_PREFIX + node && !this.#members.has(node)) return undefined;
    const isShared = resource === POOL_RESOURCES.roster || this.#shared.has(resource);
    if (pool !== this.pool || !this.#members.has(node) || !isShared)
      return { code: 'ERR_CLOUDCORE_FORBIDDEN', message: `not for ${node}` };
    if (direct) {
      const grant = this.#grants.get(node);
      if (grant !== undefined && grant.fromMs <= this.#clock.monotonicMs()) return undefined;
      return { code: 'ERR_CLOUDCORE_NOT_LEADER', message: `${node} has no grant` };
    }
    if (this.leader === node && this.epoch === epoch) return undefined;
    const message = `${this.leader} leads in epoch ${this.epoch}`;
    return {
      code: epoch === this.epoch ? 'ERR_CLOUDCORE_EPOCH_CONFLICT' : 'ERR_CLOUDCORE_NOT_LEADER',
      message,
    };
  }

  // ── inside ─────────────────────────────────────────────────────────────────────────────────────────────────

  #isFit(node: string): boolean {
    const member = this.#members.get(node);
    const report = member?.report;
    if (member?.session === undefined || !member.eligible || report === undefined) return false;
    if (this.leaderless) return false;
    return report.endpoint !== '' && report.writable && report.resign !== true;
  }

  #silentMs(node: string): number {
    const member = this.#members.get(node);
    const heardMs = member?.session?.heardFromNodeMs ?? member?.endedMs ?? -Infinity;
    return this.#clock.monotonicMs() - heardMs;
  }

  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#clock.setTimer(1, () => {
      this.#looking = false;
      const member = this.#members.get(this.leader);
      const nowMs = this.#clock.monotonicMs();
      const isGone =
        member === undefined ||
        (member.session === undefined && nowMs - member.endedMs >= TIMES.comeBack * this.#factor) ||
        (member.session !== undefined && member.report !== undefined && !this.#isFit(this.leader));
      if (isGone) this.#elect();
      this.#publish();
    });
  }

  #elect(): void {
    const fit = [...this.#members.keys()].filter((node) => {
      return this.#isFit(node) && this.#silentMs(node) < TIMES.silent * this.#factor;
    });
    fit.sort(
      (one, other) => compareVersions(this.#versionOf(other), this.#versionOf(one)) || (one < other ? -1 : 1),
    );
    this.#appoint(fit[0] ?? '');
  }

  #versionOf(node: string): string {
    return this.#members.get(node)?.report?.version ?? '';
  }

  #appoint(node: string): void {
    if (node === this.leader) return;
    this.leader = node;
    if (node !== '') this.epoch += 1;
    this.#endStreams(({ direct }) => !direct, 'ERR_CLOUDCORE_FENCED', `${node} leads in epoch ${this.epoch}`);
    this.#publish();
  }

  #endStreams(of: (stream: ModelStream) => boolean, code: string, message: string): void {
    for (const stream of [...this.streams]) if (of(stream)) stream.end(code, message);
  }

  #endGrant(node: string): void {
    this.#grants.get(node)?.timer.cancel();
    if (!this.#grants.delete(node)) return;
    this.#endStreams(
      (stream) => stream.direct && stream.node === node,
      'ERR_CLOUDCORE_FENCED',
      'the grant has ended',
    );
  }

  #endpointOf(node: string): string {
    return this.#members.get(node)?.saidEndpoint ?? '';
  }

  #soloOf(node: string): PoolMembership {
    this.resources.putSolo(node);
    return { pool: SOLO_PREFIX + node, leader: '', endpoint: '', epoch: 0, keys: [MODEL_KEY] };
  }

  #rosterText = '';

  /** Roster and memberships, where they are others than before. */
  #publish(): void {
    const { pool, epoch, leader } = this;
    const endpoints = [...this.#members].map(([name, { eligible }]) => {
      return { name, endpoint: this.#endpointOf(name), zone: '', eligible };
    });
    const members = endpoints.sort((one, other) => (one.name < other.name ? -1 : 1));
    const resources = [...this.#shared.values()];
    const revoked = [...this.#revoked];
    const roster = {
      pool,
      epoch,
      leader,
      members,
      resources,
      revoked,
      heartbeatSeconds: this.#heartbeatSeconds,
    };
    const text = JSON.stringify(roster);
    if (text !== this.#rosterText) {
      this.#rosterText = text;
      this.resources.putRoster(roster);
    }
    const membership: PoolMembership = {
      ...{ pool, leader, epoch, endpoint: this.#endpointOf(leader), keys: [MODEL_KEY] },
      ...(this.leaderless && { leaderless: true as const }),
    };
    for (const member of this.#members.values()) {
      if (JSON.stringify(member.membership) === JSON.stringify(membership)) continue;
      if (member.session === undefined) continue;
      member.membership = membership;
      member.session.tell(membership);
    }
  }

  /** Names of what is shared, the roster too. */
  get sharedNames(): readonly string[] {
    return modelNames([...this.#shared.values()]);
  }
}

function refusal(kind: string, status: number, message: string, retryAfterMs = 0): Error {
  return new UpstreamRefusedError(kind, { status, message, retryAfterMs, body: new Uint8Array(0) });
}
