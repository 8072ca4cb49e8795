import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import path from 'node:path';
import { KubeServer } from '@hawser/kube';
import type { Clock, Logger, Random } from '@hawser/seams';
import type { Registry as MetricsRegistry } from '@hawser/seams/metrics';
import type { ApiAddress } from '../local-store/api-server-filter.ts';
import type { LocalStore } from '../local-store/local-store.ts';
import type { Pod } from '../pods/pod.ts';
import type { PoolReader } from '../pool/pool-types.ts';
import { AccountTokens } from './account-tokens.ts';
import type { ApiCertificate } from './api-certificate.ts';
import type { ApiServerAddress } from './api-for-pods.ts';
import { Callers } from './callers.ts';
import { shownToClients } from './client-filters.ts';
import { ClientCertificates } from './client-certificates.ts';
import type { CloudAccess } from './cloud-access-types.ts';
import { ClusterTrust } from './cluster-trust.ts';
import { DiscoveryAnswers } from './discovery-answers.ts';
import type { ConnectionTaker } from './lazy-local-api.ts';
import { LocalApiMetrics } from './local-api-metrics.ts';
import { LocalAuthorizer } from './local-authorizer.ts';
import { LocalRegistry } from './local-registry.ts';
import { PodsOfNode } from './pods-of-node.ts';
import { RememberedAnswers } from './remembered-answers.ts';
import { RequestPlace } from './request-place.ts';
import { RequestRouter } from './request-router.ts';

/** What a {@link LocalApi} needs. */
export interface LocalApiOptions {
  readonly node: string;
  readonly dataDir: string;
  /** Of `LazyLocalApi`. */
  readonly certificate: ApiCertificate;
  /** Where clients reach it, as discovery tells them. */
  readonly port: number;
  readonly pool: PoolReader;
  readonly objects: LocalStore;
  /** `localApi.filters`. Default: none. */
  readonly filters?: Readonly<Record<string, string>>;
  /** Where pods reach it; undefined while they do not. */
  readonly podAddress?: () => ApiServerAddress | undefined;
  readonly cloud: CloudAccess;
  /** Pods that are at this node now, those that end too. */
  readonly pods: () => readonly Pod[];
  /** Who has issued the certificate of this node. */
  readonly nodeAuthorities: () => readonly X509Certificate[];
  /** Milliseconds since the epoch, as far as it is known: `TrustedClock.wallMs`. */
  readonly wallMs: () => number;
  readonly registry: MetricsRegistry;
  readonly clock: Clock;
  readonly random?: Random | undefined;
  readonly log: Logger;
}

/** Folder of what the API server has said of itself, in the data folder. */
const REMEMBERED_DIR = 'api-answers';
/** Watches at one time. */
const MAX_WATCHES = 500;
/** How long stopping waits for answers under way, milliseconds. */
const STOP_MS = 1_000;

/**
 * The Kubernetes API that the edge serves to programs of its node: what the node and its pool have, offline too, with the
 * cluster's own rights; everything else from the API server. It listens nowhere: connections are handed to it.
 */
export class LocalApi implements ConnectionTaker {
  readonly #options: LocalApiOptions;
  readonly #registry = new LocalRegistry();
  readonly #remembered: RememberedAnswers;
  readonly #router: RequestRouter;
  readonly #server: KubeServer;
  #unlisten: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: LocalApiOptions) {
    this.#options = options;
    const { node, pool, objects, cloud, clock, wallMs, log, certificate } = options;
    const callers = new Callers();
    const pods = new PodsOfNode(options.pods);
    const isCloudNear = (): boolean => cloud.available;
    const trust = new ClusterTrust({ pool, isCloudNear, clock, log });
    const authorizer = new LocalAuthorizer({ store: objects, pool, isCloudNear, clock });
    this.#remembered = new RememberedAnswers(path.join(options.dataDir, REMEMBERED_DIR), log);
    const place = new RequestPlace({ pool, objects, registry: this.#registry });
    const discovery = new DiscoveryAnswers({ cloud, remembered: this.#remembered, log });
    const router = new RequestRouter({ node, pool, place, discovery, cloud, callers, pods });
    this.#router = router;
    const metrics = new LocalApiMetrics(options.registry, {
      watches: () => ({ local: this.#server.watchCount, cloud: router.watches }),
      remembered: () => this.#remembered,
    });
    const { nodeAuthorities, filters = {}, podAddress = () => undefined } = options;
    const api = (): ApiAddress | undefined => {
      const at = podAddress();
      return at && { address: at.host, port: at.port };
    };
    const shownTo = shownToClients(objects, filters, { node, api }, log);
    const certificates = new ClientCertificates({
      ...{ node, nodeAuthorities, callers, wallMs },
      trust: () => trust.present,
    });
    this.#server = new KubeServer({
      store: objects,
      registry: this.#registry.registry,
      // No names of authorities are sent: clients show what they have, and it is checked by ourselves.
      tls: { ...certificate, clientCa: [] },
      authenticators: [certificates],
      tokens: new AccountTokens({ node, trust, callers, pods, wallMs }),
      authorizer,
      rules: authorizer.rules,
      delegate: router,
      storeOf: ({ headers }) => shownTo(headers['user-agent']),
      limits: { maxWatches: MAX_WATCHES, stopMs: STOP_MS },
      clock,
      ...(options.random !== undefined && { random: options.random }),
      onAnswered: ({ verb, resource, code, request }) => {
        metrics.request({ verb, resource, code, source: router.sourceOf(request) });
      },
      onError: (error, request) => log.warn({ err: error, request }, 'a request to the local API failed'),
    });
  }

  /** Ready for connections when it resolves. Called once. */
  async start(): Promise<void> {
    const { pool, port } = this.#options;
    const share = (): void => this.#registry.share(pool.resources().values());
    this.#unlisten = pool.listen(share);
    share();
    await this.#remembered.start();
    this.#server.open(`127.0.0.1:${port}`);
  }

  accept(socket: Socket): void {
    this.#server.accept(socket);
  }

  /** Watches that run, forwarded ones too. */
  get watches(): number {
    return this.#server.watchCount + this.#router.watches;
  }

  /** Ends watches and connections. Idempotent. */
  stop(): Promise<void> {
    this.#unlisten?.();
    this.#stopped ??= this.#server.stop();
    return this.#stopped;
  }
}
