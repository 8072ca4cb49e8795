import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Outbox, ScopeReplica } from '@hawser/sync';
import type { Clock } from '@hawser/seams';
import type { ClusterIdentity } from '@hawser/sync';
import type { EdgeStatus, ReportedError, ScopeStatus, StoreStatus } from './admin/admin-types.ts';
import { remedyOf } from './hub/session-record.ts';
import type { HubSession } from './hub/hub-session.ts';
import type { CertificateRotation } from './identity/certificate-rotation.ts';
import { KUBELET_VERSION } from './node/node-body.ts';
import type { NodeCondition } from './node/node-conditions.ts';
import type { LazyDevices } from './devices/lazy-devices.ts';
import type { LazyLocalApi } from './local-api/lazy-local-api.ts';
import type { LazyPool } from './pool/lazy-pool.ts';
import type { NodeReporter } from './node/node-reporter.ts';
import type { PodManager } from './pods/pod-manager.ts';
import type { EdgeStore } from './store/edge-store.ts';
import type { StoreFault } from './store/store-report.ts';
import type { TokenManager } from './tokens/token-manager.ts';
import { SOFTWARE } from './version.ts';

/** What a status is read from. */
export interface StatusSources {
  readonly node: string;
  readonly dataDir: string;
  readonly runtimeVersion: string;
  readonly store: EdgeStore;
  /** Faults of the store since the start, latest last; a few. */
  readonly faults: readonly StoreFault[];
  readonly replica: ScopeReplica;
  readonly outbox: Outbox;
  /** What is on its way into the outbox. */
  readonly say: { readonly waiting: number };
  readonly pods: PodManager;
  readonly tokens: TokenManager;
  readonly reporter: NodeReporter;
  readonly devices: LazyDevices;
  readonly pool: Pick<LazyPool, 'problems'>;
  readonly localApi: Pick<LazyLocalApi, 'problems'>;
  /** undefined: no hub is configured. */
  readonly session: HubSession | undefined;
  readonly rotation: CertificateRotation | undefined;
  readonly accepted: () => ClusterIdentity | undefined;
  readonly held: () => ClusterIdentity | undefined;
  readonly startedMs: number;
  readonly clock: Clock;
}

/** Reads the status of the edge; see {@link EdgeStatus}. */
export function edgeStatus(sources: StatusSources): EdgeStatus {
  const { node, reporter, pods, runtimeVersion, outbox, tokens, accepted, rotation } = sources;
  const ready = readyCondition(reporter);
  const session = sessionStatus(sources);
  const isAccepted = accepted();
  return {
    node: {
      name: node,
      addresses: reporter.addresses,
      ready: ready?.status === 'True',
      message: ready?.message ?? '',
      runtime: runtimeVersion,
      pods: pods.phases(),
    },
    cluster: { ...(isAccepted !== undefined && { accepted: isAccepted }), ...heldCluster(sources) },
    session,
    scopes: [scopeStatus(sources)],
    outbox: {
      waiting: outbox.size + sources.say.waiting,
      counters: { ...outbox.counters() },
      ...(outbox.diskError !== undefined && { diskError: outbox.diskError }),
    },
    tokens: tokens.counts(),
    store: storeStatus(sources),
    ...(rotation !== undefined && { certificate: certificateStatus(node, rotation) }),
    problems: problems(sources, session),
    process: processStatus(sources),
  };
}

function readyCondition(reporter: NodeReporter): NodeCondition | undefined {
  const conditions = (reporter.body?.status['conditions'] ?? []) as readonly NodeCondition[]; // as nodeBody makes them
  return conditions.find(({ type }) => type === 'Ready');
}

function heldCluster({ held, session }: StatusSources): Pick<EdgeStatus['cluster'], 'held'> {
  const identity = held();
  if (identity === undefined) return {};
  return { held: { ...identity, why: session?.status().heldBecause ?? '' } };
}

function sessionStatus({ session, clock }: StatusSources): EdgeStatus['session'] {
  if (session === undefined) {
    return { state: 'off', since: new Date(clock.wallMs()).toISOString(), attempts: 0, epoch: 0 };
  }
  const { state, sinceMs, lastError, attempts, epoch } = session.status();
  const { tunnel } = session;
  return {
    state,
    since: new Date(sinceMs).toISOString(),
    ...(tunnel !== undefined && {
      current: {
        id: tunnel.info.id,
        epoch: tunnel.info.epoch,
        transport: tunnel.transport,
        hub: tunnel.remoteAddress,
        hubSoftware: tunnel.info.peerSoftware,
        ...(tunnel.roundTripMs !== undefined && { roundTripMs: tunnel.roundTripMs }),
        heartbeatMs: tunnel.info.heartbeatMs,
      },
    }),
    ...(lastError !== undefined && { lastError }),
    attempts,
    epoch,
  };
}

function scopeStatus({ replica, store }: StatusSources): ScopeStatus {
  const { objects, synced, heldRemovals } = replica.state;
  let bytes = 0;
  for (const { sizeBytes } of store.replica.entries(replica.scope).values()) bytes += sizeBytes;
  return {
    scope: replica.scope,
    objects,
    bytes,
    synced,
    held: heldRemovals,
    counters: { ...replica.counters() },
  };
}

/** Files of the database. */
const DATABASE = 'edge.db';

function storeStatus(sources: StatusSources): StoreStatus {
  const { dataDir } = sources;
  const messages = storeProblems(sources).map(({ message }) => message);
  return { dir: dataDir, healthy: messages.length === 0, sizeBytes: sizeOf(dataDir), messages };
}

/** What the store says of itself, each thing once. */
function storeProblems({ store, faults, replica }: StatusSources): readonly ReportedError[] {
  const { findings, readOnly } = store.openReport;
  const { diskError, diskErrorCode = 'ERR_EDGE_STORE_FAILED', synced } = replica.state;
  // A power cut leaves a torn write; what it may have cost has been sent again by the time that all is in sync.
  const open = findings.filter(({ kind }) => kind !== 'log-torn' || !synced);
  const found = [
    ...open.map(({ message }) => withRemedy('ERR_EDGE_STORE_DAMAGED', message)),
    ...faults.map(({ code, message }) => withRemedy(code, message)),
    ...(diskError === undefined ? [] : [withRemedy(diskErrorCode, diskError)]),
    ...(readOnly
      ? [withRemedy('ERR_EDGE_STORE_READ_ONLY', 'The file system is read-only: nothing new can be kept.')]
      : []),
  ];
  return [...new Map(found.map((problem) => [problem.message, problem])).values()];
}

function sizeOf(dir: string): number {
  try {
    return readdirSync(dir)
      .filter((name) => name.startsWith(DATABASE))
      .reduce(
        (total, name) => total + (statSync(path.join(dir, name), { throwIfNoEntry: false })?.size ?? 0),
        0,
      );
  } catch {
    return 0; // the folder cannot be read just now: what the store says is in the messages
  }
}

function certificateStatus(
  node: string,
  rotation: CertificateRotation,
): NonNullable<EdgeStatus['certificate']> {
  const { notAfterMs, renewAtMs, lastError } = rotation.status();
  return {
    subject: `system:node:${node}`,
    expires: new Date(notAfterMs).toISOString(),
    renewal: new Date(renewAtMs).toISOString(),
    ...(lastError !== undefined && { lastError }),
  };
}

/** What an operator should look at, with what to do. */
function problems(sources: StatusSources, session: EdgeStatus['session']): readonly ReportedError[] {
  const { rotation, clock, tokens, replica, devices, pool, localApi } = sources;
  const found: ReportedError[] = [];
  if (session.state !== 'up' && session.lastError !== undefined) found.push(session.lastError);
  found.push(...storeProblems(sources));
  const certificate = rotation?.status();
  if (certificate !== undefined && certificate.notAfterMs <= clock.wallMs()) {
    found.push(withRemedy('ERR_TUNNEL_CERT_EXPIRED', 'The certificate of this node has expired.'));
  }
  if (tokens.counts().expired > 0) {
    found.push({
      code: 'ERR_EDGECORE_TOKEN_EXPIRED',
      message: `${tokens.counts().expired} service account tokens of pods have expired.`,
      ...remedyFor('ERR_EDGECORE_TOKEN_EXPIRED'),
    });
  }
  if (replica.state.heldRemovals > 0) {
    found.push({
      code: 'ERR_EDGECORE_REMOVALS_HELD',
      message: `Removals that are held back: ${replica.state.heldRemovals}. More than half of what this node has was to go at once.`,
      ...remedyFor('ERR_EDGECORE_REMOVALS_HELD'),
    });
  }
  for (const { code, message } of [...devices.problems(), ...pool.problems(), ...localApi.problems()])
    found.push(withRemedy(code, message));
  return found;
}

function withRemedy(code: string, message: string): ReportedError {
  return { code, message, ...remedyFor(code) };
}

function remedyFor(code: string): { readonly remedy?: string } {
  const remedy = remedyOf(code);
  return remedy === undefined ? {} : { remedy };
}

function processStatus({ startedMs, clock }: StatusSources): EdgeStatus['process'] {
  const { rss, heapUsed } = process.memoryUsage();
  return {
    pid: process.pid,
    startedAt: new Date(clock.wallMs() - (clock.monotonicMs() - startedMs)).toISOString(),
    uptimeMs: Math.round(clock.monotonicMs() - startedMs),
    rssBytes: rss,
    heapBytes: heapUsed,
    software: SOFTWARE,
    node: process.version,
    kubelet: KUBELET_VERSION,
  };
}
