import { setMaxListeners } from 'node:events';
import { StatusError, type ApiClient } from '@hawser/kube';
import type { PeerIdentity } from '@hawser/proto';
import { systemClock, systemRandom, type Clock, type Logger, type Random } from '@hawser/seams';
import { packJson, type UpstreamBodies, type UpstreamKind } from '@hawser/sync';
import type { Registry } from 'prom-client';
import type { ClusterView } from '../cache/cluster-view.ts';
import { decodeBody, isKnownKind, type CheckedBody } from './bodies.ts';
import { EventWriter } from './event-writer.ts';
import type { NodeKubelet } from '../cluster/node-kubelet.ts';
import { NodeWriter } from './node-writer.ts';
import type { PoolIntake } from '../pools/pool-intake.ts';
import { DONE, Refusal, refusalOf } from './outcome.ts';
import { PodGuard } from './pod-guard.ts';
import { PodWriter } from './pod-writer.ts';
import { ReportWriter } from './report-writer.ts';
import { TokenRequester } from './token-requester.ts';
import type { UpstreamHandler, UpstreamOutcome } from './upstream-handler.ts';
import { upstreamMetrics, type UpstreamMetrics } from './upstream-metrics.ts';
import type { Origin, WriterContext } from './upstream-task.ts';
import { NO_UPLOADS, UploadWriter, type UploadTarget } from './upload-writer.ts';
import { SettingWriter } from './setting-writer.ts';
import { DeviceGuard } from './device-guard.ts';
import { DeviceResources } from './device-resources.ts';
import { DeviceWriter } from './device-writer.ts';
import { UpstreamGates } from './upstream-gates.ts';
import type { WriteLimits } from './write-gate.ts';

/** Who signs new certificates for nodes: the part of `IdentityService` that the router needs. */
export interface CertificateRenewal {
  /** The certificate that the node's present session proved; undefined without one. */
  peerOf(node: string): PeerIdentity | undefined;
  renew(peer: PeerIdentity, csrPem: string): Promise<{ certificate: string; authorities: string }>;
}

/** Settings of {@link UpstreamRouter}. */
export interface UpstreamRouterOptions {
  readonly client: ApiClient;
  readonly view: ClusterView;
  readonly certificates: CertificateRenewal;
  /** The pool that a node has joined with: its label on a new Node. Default: none. */
  readonly poolOf?: (node: string) => string | undefined;
  /** Where API servers reach the node's kubelet. Default: not through the hub. */
  readonly kubeletOf?: (node: string) => Promise<NodeKubelet | undefined>;
  readonly log: Logger;
  readonly registry: Registry;
  readonly limits?: Partial<WriteLimits>;
  /** The same of what is reported of devices, which has its own. See {@link DEVICE_LIMITS}. */
  readonly deviceLimits?: Partial<WriteLimits>;
  /** Takes what members of pools say. Default: there are no pools. */
  readonly pools?: PoolIntake;
  /** Where uploads go. Default: nowhere. */
  readonly uploads?: UploadTarget;
  readonly clock?: Clock;
  readonly random?: Random;
}

type WritersOf<Kinds extends UpstreamKind> = {
  readonly [K in Kinds]: (origin: Origin, body: UpstreamBodies[K]) => Promise<UpstreamOutcome>;
};
type PoolKind = 'pool-report' | 'pool-claim' | 'pool-direct';
type Writers = WritersOf<UpstreamKind>;

/** Kinds whose key is made of an object's namespace, name and uid. */
const KEYED: ReadonlySet<UpstreamKind> = new Set(['pod', 'pod-gone', 'device', 'device-setting']);

/** When to try again where nothing else is known, milliseconds; spread over twice that. */
const RETRY_AFTER_MS = 2000;

/**
 * Takes what edges report: checks its form, checks that it concerns the node in the certificate, and writes it to
 * the API server, within rates. Nothing that a node says gives it, or tells it, anything about another node; see
 * docs/consistency.md for what an outcome of 0 means for each kind.
 */
export class UpstreamRouter implements UpstreamHandler {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #gates: UpstreamGates;
  readonly #metrics: UpstreamMetrics;
  readonly #nodes: NodeWriter;
  readonly #writers: Writers;
  readonly #uploads: UploadWriter;
  readonly #deviceResources: DeviceResources;
  readonly #stopping = new AbortController();

  constructor(options: UpstreamRouterOptions) {
    const { client, view, registry, certificates, poolOf = () => undefined } = options;
    const { kubeletOf = () => Promise.resolve(undefined) } = options;
    this.#log = options.log.child({ component: 'upstream' });
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    // Each call under way listens to it.
    setMaxListeners(0, this.#stopping.signal);
    const { limits, deviceLimits, uploads = NO_UPLOADS } = options;
    this.#gates = new UpstreamGates(
      { limits, deviceLimits, maxUploads: uploads.maxInFlight },
      this.#clock,
      this.#random,
    );
    this.#metrics = upstreamMetrics(registry, () => this.#gates.counts);
    this.#deviceResources = new DeviceResources(client, this.#clock);
    const context: WriterContext = {
      ...{ client, view, poolOf, kubeletOf, log: this.#log, clock: this.#clock, metrics: this.#metrics },
      guard: new PodGuard(client, view),
      deviceGuard: new DeviceGuard(client, view),
      deviceResources: this.#deviceResources,
    };
    this.#uploads = new UploadWriter(context, uploads);
    this.#nodes = new NodeWriter(context);
    this.#writers = {
      ...writersOf(context, this.#nodes, this.#uploads, certificates, options.pools),
      ...poolWritersOf(options.pools),
    };
  }

  /** Begins to work on messages; what came before waits. Idempotent. */
  start(): void {
    this.#gates.start();
  }

  /** Sends back what waits (503), aborts what is under way; resolves when nothing is. Idempotent. */
  async stop(): Promise<void> {
    const ended = new Refusal(503, 'ended', 'the hub is stopping');
    this.#stopping.abort(ended);
    this.#deviceResources.close(ended);
    await this.#gates.stop();
    this.#uploads.close();
  }

  /**
   * Writes into the Node where API servers reach its kubelet, if it says otherwise: when it is the node's turn, as a
   * message of its own would be.
   * @param session aborts when the session ends that this is for
   * @throws StatusError, ClientError; Refusal where it could not be tried
   */
  async announce(node: string, session: AbortSignal): Promise<void> {
    const origin = { node, session, calls: this.#stopping.signal };
    await this.#gates.of('node').run(node, {
      ...{ key: 'kubelet', signal: session, sizeBytes: 0 },
      work: () => this.#nodes.announce(origin),
    });
  }

  async handle(node: string, kind: string, body: Uint8Array, signal: AbortSignal): Promise<UpstreamOutcome> {
    const label = isKnownKind(kind) ? kind : 'unknown';
    const seconds = this.#metrics.duration.startTimer({ kind: label });
    const outcome = await this.#outcome(node, kind, body, signal);
    seconds();
    this.#metrics.messages.inc({ kind: label, status: String(outcome.status) });
    return outcome;
  }

  async #outcome(
    node: string,
    kind: string,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<UpstreamOutcome> {
    try {
      this.#gates.of(kind).check(node);
      if (!isKnownKind(kind)) throw new Refusal(400, 'unknown-kind', 'the hub does not know this kind');
      return await this.#dispatch(node, kind, decodeBody(kind, body), signal);
    } catch (error) {
      return this.#refuse(node, kind, error);
    }
  }

  #dispatch<K extends UpstreamKind>(
    node: string,
    kind: K,
    { body, sizeBytes }: CheckedBody<K>,
    session: AbortSignal,
  ): Promise<UpstreamOutcome> {
    const key = keyOf(kind, body);
    const origin = { node, session, calls: this.#stopping.signal };
    return this.#gates.of(kind).run(node, {
      signal: session,
      sizeBytes,
      givesWay: kind === 'event' || kind === 'report',
      ...(key !== undefined && { key }),
      work: () => this.#writers[kind](origin, body),
    });
  }

  #refuse(node: string, kind: string, error: unknown): UpstreamOutcome {
    const refusal = this.#stopping.signal.aborted ? stopped() : refusalOf(error);
    const { status, reason, message } = refusal;
    const known = isKnownKind(kind) ? kind : 'unknown';
    this.#metrics.refused.inc({ kind: known, reason });
    // What never came to the gate costs the node as much as what did.
    if (reason === 'malformed' || reason === 'unknown-kind') this.#gates.of(kind).charge(node);
    this.#logRefusal({ node, kind: known, status, reason }, refusal, error);
    if (status < 500 && status !== 429 && status !== 409) return { status, message };
    return { status, message, retryAfterMs: refusal.retryAfterMs ?? this.#retryAfterMs() };
  }

  #logRefusal(fields: Readonly<Record<string, unknown>>, { reason, message }: Refusal, error: unknown): void {
    switch (reason) {
      case 'internal':
      case 'api-denied':
        this.#log.error({ ...fields, err: error }, `message of an edge not written: ${message}`);
        return;
      case 'overloaded':
      case 'not-configured':
      case 'upload':
      case 'ended':
      case 'gone':
      case 'conflict':
      case 'api-down':
        this.#log.debug({ ...fields, err: error }, `message of an edge not taken: ${message}`);
        return;
      default:
        this.#log.warn(fields, `message of an edge refused: ${message}`);
    }
  }

  #retryAfterMs(): number {
    return Math.ceil(RETRY_AFTER_MS * (1 + this.#random.next()));
  }
}

function writersOf(
  context: WriterContext,
  nodes: NodeWriter,
  uploads: UploadWriter,
  certificates: CertificateRenewal,
  pools: PoolIntake | undefined,
): WritersOf<Exclude<UpstreamKind, PoolKind>> {
  const pods = new PodWriter(context);
  const events = new EventWriter(context);
  const reports = new ReportWriter(context, events);
  const tokens = new TokenRequester(context);
  const devices = new DeviceWriter(context);
  const settings = new SettingWriter(context, events);
  return {
    node: (origin, body) => nodes.write(origin, body),
    pod: (origin, body) => pods.writeStatus(origin, body),
    'pod-gone': (origin, body) => pods.remove(origin, body),
    event: (origin, body) => events.write(origin, body),
    report: (origin, body) => {
      pools?.edgeReported(origin.node, body);
      return reports.write(origin, body);
    },
    device: (origin, body) => devices.write(origin, body),
    'device-setting': (origin, body) => settings.write(origin, body),
    upload: (origin, body) => uploads.write(origin, body),
    'token-request': (origin, body) => tokens.request(origin, body),
    'certificate-renewal': async ({ node }, { csr }) => {
      const peer = certificates.peerOf(node);
      if (peer === undefined) throw new Refusal(503, 'ended', 'the session has ended');
      try {
        return { status: 0, body: packJson(await certificates.renew(peer, csr)) };
      } catch (error) {
        throw renewalRefusal(error);
      }
    },
  };
}

function poolWritersOf(pools: PoolIntake | undefined): WritersOf<PoolKind> {
  // What throws becomes a rejection.
  const present = async (): Promise<PoolIntake> => {
    if (pools !== undefined) return await Promise.resolve(pools);
    throw new Refusal(404, 'not-configured', 'this hub has no pools');
  };
  return {
    'pool-report': async ({ node }, body) => {
      (await present()).report(node, body);
      return DONE;
    },
    'pool-claim': async ({ node }, body) => {
      return { status: 0, body: packJson(await (await present()).claim(node, body)) };
    },
    'pool-direct': async ({ node }, body) => {
      return { status: 0, body: packJson((await present()).direct(node, body)) };
    },
  };
}

/** Here it is the hub's own authority that says no, and not an API server that refuses the hub. */
function renewalRefusal(error: unknown): unknown {
  if (!(error instanceof StatusError)) return error;
  const { code } = error.status;
  return code === 401 || code === 403 ? new Refusal(403, 'not-yours', error.message) : error;
}

/** Of messages with one key the latest counts. */
function keyOf<K extends UpstreamKind>(kind: K, body: UpstreamBodies[K]): string | undefined {
  if (kind === 'node') return kind;
  if (!KEYED.has(kind)) return undefined;
  const { namespace, name, uid } = body as UpstreamBodies['pod' | 'pod-gone' | 'device' | 'device-setting']; // by its kind
  return `${kind}/${namespace}/${name}/${uid}`;
}

function stopped(): Refusal {
  return new Refusal(503, 'ended', 'the hub is stopping');
}
