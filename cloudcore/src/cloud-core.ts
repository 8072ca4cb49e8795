import type { ApiClient, BareConnections } from '@hawser/kube';
import { kubeConfigClient, kubeConfigConnections, loadKubeConfig } from '@hawser/kube/kubeconfig';
import { Backoff, delay, silentLogger, systemClock, type Clock, type Logger } from '@hawser/seams';
import { Registry } from 'prom-client';
import { CloudCoreError } from './errors.ts';
import type { CloudCoreConfig } from './config/schema.ts';
import { CloudCoreParts } from './cloud-core-parts.ts';
import { AttemptLimiter } from './identity/attempt-limiter.ts';
import { OperationsServer } from './ops/operations-server.ts';

/** Settings of {@link startCloudCore}. */
export interface CloudCoreOptions {
  readonly config: CloudCoreConfig;
  /** Default: as the configuration's `kubeconfig` and `context` say. A client that is given is not closed. */
  readonly client?: ApiClient;
  /**
   * The way to the API server for programs at edges. Default: that of the kubeconfig; with a `client` that is given
   * there is none. Closed when the hub stops.
   */
  readonly server?: BareConnections;
  readonly log?: Logger;
  /** Where metrics are counted. Default: a registry of its own. */
  readonly registry?: Registry;
  /** Gives up a start that waits for the API server. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** A running hub. */
export interface CloudCore {
  /** The ports that were bound. */
  readonly websocketPort: number;
  /** Undefined where QUIC is off. */
  readonly quicPort: number | undefined;
  /** Undefined where WebTransport is off. */
  readonly webTransportPort: number | undefined;
  readonly operationsPort: number;
  readonly registry: Registry;
  /** Names of the nodes that have a session. */
  readonly nodes: readonly string[];
  /** Why it is not ready for edges, one line each; empty: it is. */
  unready(): readonly string[];
  /** Hands its edges over to other replicas, as the option `drain` says; then comes {@link stop}. @throws signal.reason */
  drain(signal: AbortSignal): Promise<void>;
  /** Sends edges away, writes what is under way, frees the ports. Idempotent. */
  stop(): Promise<void>;
}

/** A warning of the API server is told again after this time, milliseconds. */
const WARN_EVERY_MS = 3_600_000;
/** Calls to the API server at a time: a hub asks on behalf of thousands, and watches have connections of their own. */
const API_CONNECTIONS = 128;
/** Wait between attempts to start while the API server does not answer, milliseconds. */
const RETRY_MS = { baseMs: 500, capMs: 15_000 } as const;

/**
 * Starts the cloud hub. Operations (/livez, /readyz, /metrics) are served at once; resolves when edges are let in,
 * which needs the API server once: it is waited for.
 *
 * Errors: CloudCoreError (see CLOUDCORE_ERRORS) for what waiting does not heal, ClientError `ERR_KUBE_CLIENT_CONFIG`,
 * TunnelError `ERR_TUNNEL_DIAL` for a port that cannot be had; `signal.reason`. What was started is stopped again.
 */
export async function startCloudCore(options: CloudCoreOptions): Promise<CloudCore> {
  const core = new Core(options);
  try {
    await core.start();
  } catch (error) {
    await core.stop();
    throw error;
  }
  return core;
}

class Core implements CloudCore {
  readonly registry: Registry;
  readonly #options: CloudCoreOptions;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #operations: OperationsServer;
  /** What undoes the start, last first. */
  readonly #undo: (() => Promise<void> | void)[] = [];
  #parts: CloudCoreParts | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: CloudCoreOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLogger;
    this.#clock = options.clock ?? systemClock;
    this.registry = options.registry ?? new Registry();
    const { host, port } = options.config.operations;
    this.#operations = new OperationsServer({
      ...{ host, port, registry: this.registry },
      unready: () => this.unready(),
    });
  }

  get websocketPort(): number {
    return this.#started().ports.websocket;
  }

  get quicPort(): number | undefined {
    return this.#started().ports.quic;
  }

  get webTransportPort(): number | undefined {
    return this.#started().ports.webTransport;
  }

  get operationsPort(): number {
    return this.#operations.port;
  }

  get nodes(): readonly string[] {
    return this.#parts?.nodes ?? [];
  }

  unready(): readonly string[] {
    return this.#parts?.unready() ?? ['starting'];
  }

  async start(): Promise<void> {
    const { config, signal } = this.#options;
    this.#undo.push(() => this.#operations.stop());
    await this.#operations.start();
    this.#log.info({ port: this.#operations.port }, 'operations are served');
    const { client, server } = this.#ways();
    const parts = new CloudCoreParts({
      ...{ config, client, server, registry: this.registry, log: this.#log, clock: this.#clock },
    });
    this.#parts = parts;
    this.#undo.push(() => parts.stop());
    await this.#untilApiAnswers(() => parts.identify(signal), signal);
    await parts.listen();
  }

  async drain(signal: AbortSignal): Promise<void> {
    await this.#parts?.drain(signal);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const failures: unknown[] = [];
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        await undo();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'the hub did not stop cleanly');
  }

  /** Tells what the API server warns of, the same once in {@link WARN_EVERY_MS}: it says it with every write. */
  #warnings(): (text: string) => void {
    const clock = this.#options.clock ?? systemClock;
    const told = new AttemptLimiter({ burst: 1, refillMs: WARN_EVERY_MS, maxKeys: 100, clock });
    return (text) => {
      if (told.waitMs(text) > 0) return;
      told.count(text);
      this.#log.warn({}, `the API server says: ${text}`);
    };
  }

  #ways(): { readonly client: ApiClient; readonly server: BareConnections | undefined } {
    const { client: given, server, config, clock } = this.#options;
    if (given !== undefined) return { client: given, server };
    const { kubeconfig, context } = config;
    const loaded = loadKubeConfig({
      ...(kubeconfig !== undefined && { path: kubeconfig }),
      ...(context !== undefined && { context }),
    });
    const client = kubeConfigClient(loaded, {
      userAgent: `hawser-cloudcore/${config.replica}`,
      maxConnections: API_CONNECTIONS,
      onWarning: this.#warnings(),
      ...(clock !== undefined && { clock }),
    });
    this.#undo.push(() => client.close());
    const bare = kubeConfigConnections(loaded, {
      maxConnections: config.apiAccess.maxRequests,
      ...(clock !== undefined && { clock }),
    });
    return { client, server: server ?? bare };
  }

  /** Only what this program or an operator has to mend ends a start: an API server comes up some time. */
  async #untilApiAnswers(step: () => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const backoff = new Backoff(RETRY_MS);
    for (;;) {
      try {
        await step();
        return;
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof CloudCoreError) throw error;
        const waitMs = backoff.nextMs();
        this.#log.warn({ err: error, waitMs: Math.round(waitMs) }, 'waiting for the API server');
        await delay(waitMs, { clock: this.#clock, ...(signal !== undefined && { signal }) });
      }
    }
  }

  #started(): CloudCoreParts {
    if (this.#parts === undefined) throw new TypeError('the hub was not started');
    return this.#parts;
  }
}
