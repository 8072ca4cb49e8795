import type { Socket } from 'node:net';
import type { Clock, Logger, Timer } from '@hawser/seams';
import type { PkiFolder } from '../identity/pki-folder.ts';
import type { Pod } from '../pods/pod.ts';
import { apiCertificate, apiNames, type ApiCertificate } from './api-certificate.ts';
import { usesLocalApi, type ApiForPods, type ApiServerAddress } from './api-for-pods.ts';
import { LinkLocalAddress } from './link-local-address.ts';
import { LocalPort } from './local-port.ts';
import type { LocalApiProblem, LocalApiStatus } from './local-api-types.ts';

/** What answers connections, once it is loaded. */
export interface ConnectionTaker {
  /** Takes over a connection of which nothing was read. */
  accept(socket: Socket): void;
}

/** What a {@link LazyLocalApi} needs. */
export interface LazyLocalApiOptions {
  readonly node: string;
  /** As in the configuration: port, link-local address, what pods get. */
  readonly config: {
    readonly port: number;
    readonly address: string;
    readonly pods: 'local' | 'cluster';
  };
  /** Of the cluster; one of the names in the certificate. */
  readonly clusterDomain: string;
  /** The folder of the identity, open. */
  readonly folder: PkiFolder;
  /** Loads and starts what answers; called once for all connections. After a failure the next connection calls it again. */
  readonly load: () => Promise<ConnectionTaker>;
  /** Default: an interface `hawser0`. */
  readonly linkLocal?: Pick<LinkLocalAddress, 'ensure' | 'remove' | 'isPresent'>;
  readonly clock: Clock;
  readonly log: Logger;
}

const LOOPBACK = '127.0.0.1';
/** Connections that wait until what answers is loaded; more are ended. */
const MAX_WAITING = 256;
/** How often the link-local address is seen to, milliseconds. */
const LOOK_MS = 30_000;

/**
 * The ports of the local API, open from the start of the edge, and what pods are told of them. What answers is loaded with
 * the first connection: an edge that nobody asks has no place for it in its memory.
 */
export class LazyLocalApi implements ApiForPods {
  readonly #options: LazyLocalApiOptions;
  readonly #linkLocal: Pick<LinkLocalAddress, 'ensure' | 'remove' | 'isPresent'>;
  readonly #loopback: LocalPort;
  readonly #link: LocalPort;
  readonly #waiting = new Set<Socket>();
  #certificate: ApiCertificate | undefined;
  #taker: ConnectionTaker | undefined;
  #loading: Promise<void> | undefined;
  #looking: Promise<void> | undefined;
  #timer: Timer | undefined;
  #addressProblem: string | undefined;
  #loadProblem: string | undefined;
  #stopped = false;

  constructor(options: LazyLocalApiOptions) {
    this.#options = options;
    const { config, clock } = options;
    this.#linkLocal = options.linkLocal ?? new LinkLocalAddress({ address: config.address });
    const port = (host: string, number: () => number): LocalPort =>
      new LocalPort({
        ...{ host, clock, port: number },
        onConnection: (socket) => this.#onConnection(socket),
        onState: (error) => this.#onPort(host, error),
      });
    this.#loopback = port(LOOPBACK, () => config.port);
    this.#link = port(config.address, () => this.port);
  }

  /** The port, of the configuration or as it was given; 0: it is not known yet. */
  get port(): number {
    return this.#loopback.address?.port ?? this.#options.config.port;
  }

  /** Of this node's own making; undefined before {@link start}, and where it could not be kept. */
  get certificate(): ApiCertificate | undefined {
    return this.#certificate;
  }

  /**
   * Sees to the certificate and the link-local address, and opens the ports. Never rejects: an edge without a local API is
   * an edge all the same. Called once.
   */
  async start(): Promise<void> {
    const { node, config, clusterDomain, folder, log } = this.#options;
    try {
      const names = apiNames(node, config.address, clusterDomain);
      this.#certificate = await apiCertificate(folder, node, names, log);
    } catch (error) {
      log.error({ err: error }, 'there is no local API: its certificate can be neither read nor made');
      this.#loadProblem = (error as Error).message;
      return;
    }
    await this.#loopback.start();
    if (config.address !== '') await this.#look();
  }

  /** Closes the ports, and takes the link-local address away if it was made here. Never rejects. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    this.#loopback.stop();
    this.#link.stop();
    for (const socket of this.#waiting) socket.destroy();
    await Promise.all([this.#loading, this.#looking]);
    if (this.#options.config.address === '' || this.#addressProblem !== undefined) return;
    try {
      await this.#linkLocal.remove();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the link-local address of the local API cannot be removed');
    }
  }

  /** Where pods reach it; undefined while they do not. */
  get podAddress(): ApiServerAddress | undefined {
    // A dummy interface that somebody took away leaves the port open, and nobody reaches it.
    return this.#linkLocal.isPresent ? addressOf(this.#link) : undefined;
  }

  server(pod: Pod): ApiServerAddress | undefined {
    if (!usesLocalApi(pod, this.#options.config.pods)) return undefined;
    return pod.spec.hostNetwork === true ? addressOf(this.#loopback) : this.podAddress;
  }

  authority(pod: Pod): string | undefined {
    return usesLocalApi(pod, this.#options.config.pods) ? this.#certificate?.cert : undefined;
  }

  /** `GET /v1/local-api`. */
  status(): LocalApiStatus {
    const addresses = [this.#loopback, this.#link].flatMap(({ address }) => address?.address ?? []);
    const { pods } = this.#options.config;
    return {
      state: this.#taker !== undefined ? 'loaded' : addresses.length > 0 ? 'listening' : 'closed',
      addresses,
      port: this.port,
      certificate: this.#certificate?.cert ?? '',
      pods,
      problems: this.problems(),
    };
  }

  /** What keeps it from being well. */
  problems(): readonly LocalApiProblem[] {
    const problem = (code: LocalApiProblem['code'], message: string | undefined): LocalApiProblem[] =>
      message === undefined ? [] : [{ code, message }];
    return [
      ...problem('ERR_EDGECORE_LOCAL_API', this.#loadProblem),
      ...problem('ERR_EDGECORE_LOCAL_API_LISTEN', this.#loopback.problem ?? this.#link.problem),
      ...problem('ERR_EDGECORE_LOCAL_API_ADDRESS', this.#addressProblem),
    ];
  }

  /** Sees to the link-local address and its port, now and from now on: others administer the network, too. */
  async #look(): Promise<void> {
    const { config, log, clock } = this.#options;
    try {
      await this.#linkLocal.ensure();
      if (this.#addressProblem !== undefined) log.info({ address: config.address }, 'the address is there');
      this.#addressProblem = undefined;
      await this.#link.start();
    } catch (error) {
      const { message } = error as Error;
      const problem = `${config.address} cannot be made, the local API is on loopback only: ${message}`;
      if (problem !== this.#addressProblem) log.warn({ address: config.address }, problem);
      this.#addressProblem = problem;
    }
    if (this.#stopped) return;
    const again = (): void => {
      this.#looking = this.#look();
    };
    this.#timer = clock.setTimer(LOOK_MS, again, { background: true });
  }

  #onPort(host: string, error: NodeJS.ErrnoException | undefined): void {
    const { log } = this.#options;
    const address = { host, port: this.port };
    if (error === undefined) log.info(address, 'the local API listens');
    else log.error({ ...address, err: error }, 'the local API cannot listen, and tries again');
  }

  #onConnection(socket: Socket): void {
    if (this.#taker !== undefined) {
      this.#taker.accept(socket);
      return;
    }
    if (this.#stopped || this.#waiting.size >= MAX_WAITING) {
      socket.destroy();
      return;
    }
    const onError = (): void => void socket.destroy(); // it has no other listener yet
    socket.on('error', onError);
    this.#waiting.add(socket);
    socket.once('close', () => this.#waiting.delete(socket));
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    void this.#loading.then(() => {
      socket.off('error', onError);
      if (!this.#waiting.delete(socket) || socket.destroyed) return;
      if (this.#taker === undefined || this.#stopped) socket.destroy();
      else this.#taker.accept(socket);
    });
  }

  /** Never rejects. */
  async #load(): Promise<void> {
    const { load, log } = this.#options;
    try {
      this.#taker = await load();
      this.#loadProblem = undefined;
    } catch (error) {
      log.error({ err: error }, 'what the local API needs cannot be loaded; the next connection tries again');
      this.#loadProblem = (error as Error).message;
    }
  }
}

function addressOf({ address }: LocalPort): ApiServerAddress | undefined {
  return address === undefined ? undefined : { host: address.address, port: address.port };
}
