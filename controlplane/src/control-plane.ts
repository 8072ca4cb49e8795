import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import {
  builtInResources,
  clientCertificateAuthenticator,
  CrdController,
  defaultTolerationSeconds,
  HttpApiClient,
  KubeServer,
  MASTERS,
  MemoryStore,
  namespaceLifecycle,
  NodeAuthorizer,
  NodeGraph,
  NodeRestriction,
  podPriority,
  privilegedGroupAuthorizer,
  RbacAuthorizer,
  Registry,
  serviceAccountAdmission,
  SqliteStore,
  taintNewNodes,
  unionAuthorizer,
  type ConnectHandler,
  type Credentials,
  type CredentialSource,
  type ObjectStore,
  type ServerLimits,
} from '@hawser/kube';
import {
  silentLogger,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
  type Random,
  type Timer,
} from '@hawser/seams';
import type { Registry as MetricsRegistry } from 'prom-client';
import { createBootstrapObjects } from './bootstrap-objects.ts';
import { ControllerManager, type NodeTimes } from './controllers/controller-manager.ts';
import { ControlPlaneError } from './errors.ts';
import { kubeconfig } from './kubeconfig.ts';
import { KubeletClient } from './kubelet-client/kubelet-client.ts';
import { ClusterPki, type PkiState } from './pki/cluster-pki.ts';
import { IssuerDiscovery } from './tokens/issuer-discovery.ts';
import { TokenKey } from './tokens/jwt.ts';
import { ServiceAccountTokens } from './tokens/service-account-tokens.ts';

/** Settings of {@link startControlPlane}. */
export interface ControlPlaneOptions {
  /** Folder of the database and the keys; made if it is not there (0700). Absent: everything is in memory. */
  readonly dataDir?: string;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Default: any free one. */
  readonly port?: number;
  /** Further names and addresses for the serving certificate. `localhost`, 127.0.0.1 and `host` are in it. */
  readonly hosts?: readonly string[];
  /** Name or address of the server in the kubeconfig. Default: `host`, or 127.0.0.1 for every address. */
  readonly advertise?: string;
  /** False: the API server alone, without scheduler and controllers. Default true. */
  readonly controllers?: boolean;
  readonly nodeTimes?: NodeTimes;
  /** Serves logs, exec and the like of pods. Default: asks the kubelets of their nodes. */
  readonly connect?: ConnectHandler;
  /** Authority of the certificates of kubelets, PEM. Default: they are not verified, as by a kube-apiserver that is told none. */
  readonly kubeletCa?: string;
  readonly limits?: Partial<ServerLimits>;
  readonly metrics?: MetricsRegistry;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

/** A running control plane. */
export interface ControlPlane {
  /** `https://127.0.0.1:6443`. */
  readonly url: string;
  /** The authority of the server, PEM. */
  readonly ca: string;
  /** A kubeconfig of an administrator, as it is now: the certificate in it is renewed from time to time. */
  readonly kubeconfig: string;
  /** A client with all rights; closed by {@link stop}. */
  readonly client: HttpApiClient;
  /** Calls when the kubeconfig has changed. */
  onRenewal(listener: () => void): void;
  /** Stops the controllers, lets answers under way finish, flushes the store. Idempotent. */
  stop(): Promise<void>;
}

const ANY_ADDRESS = new Set(['0.0.0.0', '::']);
const LOOPBACK = '127.0.0.1';
const RENEWAL_PERIOD_MS = 12 * 60 * 60_000;
const PRIVATE_FOLDER = 0o700;

/** Source: kubeadm's serving certificate. */
const SERVICE_NAMES = [
  ...['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'],
];
/** The first address of the default range of services, where pods look for the API server. */
const SERVICE_IP = '10.96.0.1';

/**
 * Starts a control plane: keys, store, API server, controllers, in this order. Resolves when it is ready.
 *
 * Errors: ControlPlaneError (see CONTROLPLANE_ERRORS), and those of the store. What was started is stopped again.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const plane = new Plane(options);
  try {
    await plane.start();
  } catch (error) {
    await plane.stop();
    throw error;
  }
  return plane;
}

class Plane implements ControlPlane {
  readonly #options: ControlPlaneOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #pki: ClusterPki;
  readonly #listeners: (() => void)[] = [];
  /** What undoes the start, last first. */
  readonly #undo: (() => Promise<void> | void)[] = [];
  #server: KubeServer | undefined;
  #client: HttpApiClient | undefined;
  #renewal: Timer | undefined;
  #renewing: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: ControlPlaneOptions) {
    const { dataDir, host = LOOPBACK, hosts = [], advertise } = options;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? silentLogger;
    const named = [
      LOOPBACK,
      'localhost',
      ...SERVICE_NAMES,
      SERVICE_IP,
      ...hosts,
      advertise ?? LOOPBACK,
      host,
    ];
    this.#pki = new ClusterPki({
      ...(dataDir !== undefined && { dir: path.join(dataDir, 'pki') }),
      hosts: [...new Set(named)].filter((name) => !ANY_ADDRESS.has(name)),
      clock: this.#clock,
    });
  }

  get url(): string {
    const { host = LOOPBACK, advertise } = this.#options;
    const name = advertise ?? (ANY_ADDRESS.has(host) ? LOOPBACK : host);
    const port = this.#server?.port ?? 0;
    return `https://${name.includes(':') ? `[${name}]` : name}:${port}`;
  }

  get ca(): string {
    return this.#pki.state.authority.cert;
  }

  get kubeconfig(): string {
    return kubeconfig({ server: this.url, ca: this.ca, client: this.#pki.state.admin });
  }

  get client(): HttpApiClient {
    if (this.#client === undefined) throw new TypeError('the control plane has not been started');
    return this.#client;
  }

  onRenewal(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async start(): Promise<void> {
    const { dataDir, random = systemRandom, nodeTimes } = this.#options;
    if (dataDir !== undefined) await makeDataDir(dataDir);
    const pki = await this.#pki.load();
    const store = await this.#openStore();
    this.#undo.push(() => store.close());
    await createBootstrapObjects(store, { nowMs: this.#clock.wallMs(), clientCa: pki.authority.cert });
    const registry = new Registry();
    registry.add(builtInResources({ random }));
    await this.#serve(store, registry, pki);
    if (this.#options.controllers !== false) {
      const manager = new ControllerManager({
        ...{ store, registry, random, clock: this.#clock, ca: this.ca },
        client: this.client,
        logger: this.#logger,
        ...(nodeTimes && { nodeTimes }),
      });
      this.#undo.push(() => manager.stop());
      await manager.start();
    }
    this.#armRenewal();
    this.#logger.info({ url: this.url, dataDir: dataDir ?? 'memory' }, 'control plane ready');
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#renewal?.cancel();
    await this.#renewing;
    const failures: unknown[] = [];
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        await undo();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'the control plane did not stop cleanly');
  }

  async #openStore(): Promise<ObjectStore> {
    const { dataDir } = this.#options;
    if (dataDir === undefined) return new MemoryStore();
    const file = path.join(dataDir, 'state.db');
    try {
      return await SqliteStore.open({ path: file });
    } catch (cause) {
      const text = `the database ${file} cannot be opened: ${(cause as Error).message}`;
      throw new ControlPlaneError('ERR_CONTROLPLANE_DATA_DIR', text, { cause, about: file });
    }
  }

  async #serve(store: ObjectStore, registry: Registry, pki: PkiState): Promise<void> {
    const { host = LOOPBACK, port = 0, random = systemRandom, limits, metrics } = this.#options;
    const { connect = this.#kubelets(store) } = this.#options;
    const clock = this.#clock;
    const onError = (error: Error, about: string): void =>
      this.#logger.error({ err: error, about }, 'request failed by our own fault');
    const crds = new CrdController({ store, registry, clock, onError });
    crds.start();
    this.#undo.push(() => crds.stop());
    const key = new TokenKey(pki.tokenKey);
    const tokens = new ServiceAccountTokens({ key, store, clock });
    const rbac = new RbacAuthorizer(store);
    const server = new KubeServer({
      ...{ store, registry, clock, random, onError, connect },
      ...(limits && { limits }),
      ...(metrics && { metrics }),
      tls: { ...pki.serving, clientCa: pki.authority.cert },
      authenticators: [clientCertificateAuthenticator],
      tokens,
      tokenIssuer: tokens,
      paths: [new IssuerDiscovery(key, () => this.url)],
      rules: rbac,
      authorizer: unionAuthorizer([
        privilegedGroupAuthorizer(MASTERS),
        new NodeAuthorizer(new NodeGraph(store)),
        rbac,
      ]),
      plugins: [
        namespaceLifecycle(store),
        new NodeRestriction(store),
        taintNewNodes,
        podPriority(store),
        serviceAccountAdmission(store, random),
        defaultTolerationSeconds(),
      ],
    });
    try {
      await server.start({ host, port });
    } catch (cause) {
      const text = `cannot listen on ${host}:${port}: ${(cause as Error).message}`;
      throw new ControlPlaneError('ERR_CONTROLPLANE_LISTEN', text, { cause, about: `${host}:${port}` });
    }
    this.#undo.push(() => server.stop());
    this.#server = server;
    const client = this.#makeClient(host, server.port);
    this.#client = client;
    this.#undo.push(() => client.close());
  }

  #kubelets(store: ObjectStore): ConnectHandler {
    const { kubeletCa } = this.#options;
    return new KubeletClient({
      ...{ store, clock: this.#clock },
      credentials: () => this.#pki.state.kubeletClient,
      ...(kubeletCa !== undefined && { ca: kubeletCa }),
      log: this.#logger.child({ component: 'kubelet-client' }),
    });
  }

  #makeClient(host: string, port: number): HttpApiClient {
    const address = ANY_ADDRESS.has(host) ? LOOPBACK : host;
    return new HttpApiClient({
      server: `https://${address.includes(':') ? `[${address}]` : address}:${port}`,
      credentials: new PkiCredentials(this.#pki),
      userAgent: 'hawser-controlplane',
      clock: this.#clock,
    });
  }

  #armRenewal(): void {
    this.#renewal = this.#clock.setTimer(RENEWAL_PERIOD_MS, () => void this.#renew(), { background: true });
  }

  /** Never rejects. */
  async #renew(): Promise<void> {
    this.#renewing = this.#renewOnce();
    await this.#renewing;
    if (this.#stopped === undefined) this.#armRenewal();
  }

  async #renewOnce(): Promise<void> {
    try {
      const before = this.#pki.state;
      const { serving, admin } = await this.#pki.load();
      if (serving.cert !== before.serving.cert) this.#server?.renewCertificate(serving);
      if (admin.cert !== before.admin.cert) for (const listener of this.#listeners) listener();
    } catch (error) {
      this.#logger.error({ err: error }, 'certificates could not be renewed, will try again in 12 hours');
    }
  }
}

/** The controllers' certificate as it is now: a renewed one is taken for the next call. */
class PkiCredentials implements CredentialSource {
  readonly #pki: ClusterPki;
  #from: PkiState['controllers'] | undefined;
  #current: Credentials | undefined;

  constructor(pki: ClusterPki) {
    this.#pki = pki;
  }

  get(): Promise<Credentials> {
    const { controllers, authority } = this.#pki.state;
    if (this.#current === undefined || this.#from?.cert !== controllers.cert) {
      this.#from = controllers;
      this.#current = { headers: {}, tls: { ...controllers, ca: authority.cert } };
    }
    return Promise.resolve(this.#current);
  }

  invalidate(): void {}
}

async function makeDataDir(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: PRIVATE_FOLDER });
    await chmod(dir, PRIVATE_FOLDER);
  } catch (cause) {
    const text = `the data folder ${dir} cannot be used: ${(cause as Error).message}`;
    throw new ControlPlaneError('ERR_CONTROLPLANE_DATA_DIR', text, { cause, about: dir });
  }
}
