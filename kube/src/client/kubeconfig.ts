/**
 * Entry point `@hawser/kube/kubeconfig`: clients from kubeconfig files, exec plug-ins, tokens and in-cluster
 * settings, by way of @kubernetes/client-node. For the cloud only: the edge must not load that package.
 */
import type { Agent, RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { systemClock, type Clock } from '@hawser/seams';
import { BareConnections } from './bare-connections.ts';
import { ClientError } from './client-error.ts';
import type { Credentials, CredentialSource, TlsMaterial } from './credentials.ts';
import { HttpApiClient, type HttpApiClientOptions } from './http-client.ts';

/** Where settings come from. */
export interface LoadKubeConfigOptions {
  /** A kubeconfig file. Default: `KUBECONFIG`, `~/.kube/config`, then the service account of a pod. */
  readonly path?: string;
  /** Default: the file's current context. */
  readonly context?: string;
}

/** Settings of {@link kubeConfigClient}. */
export interface KubeConfigClientOptions extends Omit<HttpApiClientOptions, 'server' | 'credentials'> {
  /** How long credentials are believed before client-node is asked again, milliseconds. Default 10000. */
  readonly refreshMs?: number;
}

/**
 * Loads settings.
 * @throws ClientError `ERR_KUBE_CLIENT_CONFIG` when they cannot be read, or name no cluster
 */
export function loadKubeConfig(options: LoadKubeConfigOptions = {}): KubeConfig {
  const config = new KubeConfig();
  const { path, context } = options;
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (cause) {
    throw new ClientError('ERR_KUBE_CLIENT_CONFIG', `cannot load kubeconfig ${path ?? ''}`, { cause });
  }
  if (context !== undefined) config.setCurrentContext(context);
  clusterOf(config);
  return config;
}

/**
 * A client for the config's current context. Tokens of exec plug-ins and files are asked for again when they are old
 * or refused; connections are kept as long as the TLS material stays the same (client-node itself makes a new
 * connection for each call).
 * @throws ClientError `ERR_KUBE_CLIENT_CONFIG` when the config names no cluster
 */
export function kubeConfigClient(config: KubeConfig, options: KubeConfigClientOptions = {}): HttpApiClient {
  const { refreshMs = 10_000, ...rest } = options;
  const credentials = new KubeConfigCredentials(config, refreshMs, options.clock ?? systemClock);
  return new HttpApiClient({ ...rest, server: clusterOf(config).server, credentials });
}

/**
 * Connections to the API server of the config's current context, by the same proxy and with the same authorities, and
 * with nothing of its user.
 * @param options.maxConnections at a time
 * @throws ClientError `ERR_KUBE_CLIENT_CONFIG` when the config names no cluster
 */
export function kubeConfigConnections(
  config: KubeConfig,
  options: { readonly maxConnections: number; readonly refreshMs?: number; readonly clock?: Clock },
): BareConnections {
  const { refreshMs = 10_000, clock = systemClock, maxConnections } = options;
  const { server } = clusterOf(config);
  const bare = new KubeConfig();
  const cluster = config.getCurrentCluster()?.name ?? '';
  bare.loadFromOptions({
    clusters: config.clusters,
    users: [{ name: 'nobody' }],
    contexts: [{ name: 'bare', cluster, user: 'nobody' }],
    currentContext: 'bare',
  });
  const credentials = new KubeConfigCredentials(bare, refreshMs, clock);
  return new BareConnections({ server, credentials, maxConnections });
}

function clusterOf(config: KubeConfig): { readonly server: string; readonly proxyUrl?: string | undefined } {
  const cluster = config.getCurrentCluster();
  if (cluster !== null) return cluster;
  const text = `context "${config.getCurrentContext()}" of the kubeconfig names no cluster`;
  throw new ClientError('ERR_KUBE_CLIENT_CONFIG', text);
}

const TLS_FIELDS = ['ca', 'cert', 'key', 'servername', 'rejectUnauthorized'] as const;

class KubeConfigCredentials implements CredentialSource {
  #config: KubeConfig;
  readonly #refreshMs: number;
  readonly #clock: Clock;
  #current: Credentials | undefined;
  #askedMs = -Infinity;
  #asking: Promise<Credentials> | undefined;

  constructor(config: KubeConfig, refreshMs: number, clock: Clock) {
    this.#config = config;
    this.#refreshMs = refreshMs;
    this.#clock = clock;
  }

  get(): Promise<Credentials> {
    if (this.#current !== undefined && this.#clock.monotonicMs() - this.#askedMs < this.#refreshMs) {
      return Promise.resolve(this.#current);
    }
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  invalidate(): void {
    // client-node keeps an exec plug-in's token until it expires, refused or not: a copy has an empty cache.
    const { clusters, users, contexts, currentContext } = this.#config;
    this.#config = new KubeConfig();
    this.#config.loadFromOptions({ clusters, users, contexts, currentContext });
    this.#askedMs = -Infinity;
  }

  async #ask(): Promise<Credentials> {
    const options: RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const agent = options.agent as Agent;
    const proxied = clusterOf(this.#config).proxyUrl !== undefined;
    const tls = this.#sameAsBefore(options);
    this.#current = {
      headers: headersOf(options),
      tls,
      ...(proxied && { agent: () => keepingAlive(agent) }),
    };
    this.#askedMs = this.#clock.monotonicMs();
    return this.#current;
  }

  /** The object of last time if nothing in it changed: a new one means new connections. */
  #sameAsBefore(options: RequestOptions): TlsMaterial {
    const before = this.#current?.tls;
    const tls = Object.fromEntries(
      TLS_FIELDS.filter((field) => options[field] !== undefined).map((field) => [field, options[field]]),
    ) as TlsMaterial;
    const same = TLS_FIELDS.every((field) => String(before?.[field]) === String(tls[field]));
    return before !== undefined && same ? before : tls;
  }
}

function headersOf(options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value);
  }
  if (typeof options.auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  return headers;
}

/** client-node makes its proxy agents without keep-alive. */
function keepingAlive(agent: Agent): Agent {
  agent.options.keepAlive = true;
  return Object.assign(agent, { keepAlive: true });
}
