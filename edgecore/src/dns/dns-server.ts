import { Backoff, delay, systemRandom, type Clock, type Logger, type Random } from '@hawser/seams';
import type { Registry } from '@hawser/seams/metrics';
import type { ObjectStore } from '@hawser/kube';
import type { EdgeConfig } from '../config/options.ts';
import { HostDns } from '../containers/host-dns.ts';
import { AnswerCache } from './answer-cache.ts';
import { ClusterZone } from './cluster-zone.ts';
import { DnsCounts, dnsMetrics } from './dns-counts.ts';
import { Forwarder } from './forwarder.ts';
import { parseListen, reachedAt, type ListenAddress } from './listen-address.ts';
import { NameFollower } from './name-follower.ts';
import { Responder } from './responder.ts';
import { TcpPort } from './tcp-port.ts';
import { UdpPort } from './udp-port.ts';
import { UpstreamServers } from './upstream-servers.ts';

/** Settings of {@link DnsServer}. */
export interface DnsServerOptions {
  /** Services and EndpointSlices are read from it, by a list and a watch each. */
  readonly store: ObjectStore;
  readonly config: { readonly dns: EdgeConfig['dns']; readonly pods: Pick<EdgeConfig['pods'], 'resolvConf'> };
  /**
   * Whether the store has the cluster's Services and EndpointSlices: until then what is not found is a failure, and
   * clients ask somebody else. Default: as soon as it can be listed.
   */
  readonly ready?: () => boolean;
  /** Port of the servers that are asked. Default 53. */
  readonly upstreamPort?: number;
  readonly registry: Registry;
  readonly clock: Clock;
  /** For the order of answers. */
  readonly random?: Random | undefined;
  readonly log: Logger;
}

/** What an operator should look at. */
export interface DnsProblem {
  readonly code: 'ERR_EDGECORE_DNS_LISTEN' | 'ERR_EDGECORE_DNS_UPSTREAM';
  readonly message: string;
}

/** Between two tries to listen. The interface may come a moment later; another server may be there for longer. */
const LISTEN_BACKOFF = { baseMs: 500, capMs: 10_000 };
const ANY_PORT_TRIES = 5;
/** From when on it is a problem that nobody answers. */
const AWAY_PROBLEM_MS = 15_000;

/**
 * The DNS server of the node: names of the cluster out of a store, which needs no cloud, and other names from the
 * host's servers. See docs/pool.md, "Names".
 */
export class DnsServer {
  readonly #options: DnsServerOptions;
  readonly #log: Logger;
  readonly #names: NameFollower;
  readonly #forwarder: Forwarder;
  readonly #responder: Responder;
  readonly #counts = new DnsCounts();
  readonly #ending = new AbortController();
  readonly #cache: AnswerCache;
  #ports: { readonly udp: UdpPort; readonly tcp: TcpPort } | undefined;
  #listening: ListenAddress | undefined;
  #listenError: string | undefined;
  #opening: Promise<void> | undefined;

  constructor(options: DnsServerOptions) {
    const { store, config, clock, random = systemRandom, upstreamPort = 53 } = options;
    this.#options = options;
    const log = options.log.child({ component: 'dns' });
    this.#log = log;
    const counts = this.#counts;
    this.#names = new NameFollower({ store, clock, random, log });
    this.#cache = new AnswerCache(clock);
    const servers = new UpstreamServers({
      ...{ configured: config.dns.upstream, clock, log },
      host: new HostDns(config.pods.resolvConf),
      own: () => (this.#listening?.port === upstreamPort ? reachedAt(this.#listening.host) : []),
    });
    this.#forwarder = new Forwarder({
      ...{ servers: () => servers.list(), port: upstreamPort, cache: this.#cache, counts, clock, log },
    });
    const zone = new ClusterZone({
      ...{ index: this.#names.index, domain: config.dns.clusterDomain, random },
      addresses: () => (this.#listening === undefined ? [] : ownAddresses(this.#listening.host)),
      serial: () => this.#names.serial,
    });
    const ready = (): boolean => this.#names.synced && (options.ready?.() ?? true);
    this.#responder = new Responder({ zone, ready, forwarder: this.#forwarder, counts });
  }

  /** Where it listens; undefined: not yet. */
  get address(): ListenAddress | undefined {
    return this.#listening;
  }

  /** Whether all Services and EndpointSlices of the store are known. */
  get synced(): boolean {
    return this.#names.synced;
  }

  /** Resolves after the first try to listen; where it cannot, it goes on trying. Called once. Never rejects. */
  async start(): Promise<void> {
    const at = parseListen(this.#options.config.dns.listen);
    if (at === undefined || this.#opening !== undefined || this.#ending.signal.aborted) return;
    this.#names.start();
    dnsMetrics(this.#options.registry, this.#counts, {
      services: () => this.#names.index.services,
      endpoints: () => this.#names.index.endpoints,
      cached: () => this.#cache.size,
      outstanding: () => this.#forwarder.outstanding,
      connections: () => this.#ports?.tcp.connections ?? 0,
    });
    const isOpen = await this.#open(at);
    this.#opening = isOpen ? Promise.resolve() : this.#keepTrying(at);
  }

  /** Closes the ports; questions under way are not answered. Idempotent. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#forwarder.stop();
    await this.#opening;
    const ports = this.#ports;
    this.#ports = undefined;
    this.#listening = undefined;
    await Promise.all([ports?.udp.close(), ports?.tcp.close(), this.#names.stop()]);
  }

  problems(): readonly DnsProblem[] {
    const { config, clock } = this.#options;
    const found: DnsProblem[] = [];
    if (this.#listenError !== undefined) {
      const message = `The DNS server cannot listen on ${config.dns.listen}: ${this.#listenError}. It is tried again.`;
      found.push({ code: 'ERR_EDGECORE_DNS_LISTEN', message });
    }
    const { away } = this.#forwarder;
    if (away !== undefined && clock.monotonicMs() - away.sinceMs >= AWAY_PROBLEM_MS) {
      const since = new Date(clock.wallMs() - (clock.monotonicMs() - away.sinceMs)).toISOString();
      const who =
        away.servers.length === 0
          ? 'There is no DNS server'
          : `No DNS server (${away.servers.join(', ')}) answers`;
      const message = `${who} for names outside of the cluster since ${since}: ${away.why}.`;
      found.push({ code: 'ERR_EDGECORE_DNS_UPSTREAM', message });
    }
    return found;
  }

  async #keepTrying(at: ListenAddress): Promise<void> {
    const { clock, random } = this.#options;
    const { signal } = this.#ending;
    const backoff = new Backoff({ ...LISTEN_BACKOFF, ...(random && { random }) });
    do {
      await delay(backoff.nextMs(), { clock, signal }).catch(() => {}); // stopped: the loop ends
    } while (!signal.aborted && !(await this.#open(at)));
  }

  /** Opens both ports, or none. Never rejects. */
  async #open(at: ListenAddress): Promise<boolean> {
    let error: unknown;
    // Of a port that the system chose for one of them, the other one may be taken.
    for (let tries = at.port === 0 ? ANY_PORT_TRIES : 1; tries > 0; tries -= 1) {
      try {
        await this.#openOnce(at);
        this.#listenError = undefined;
        this.#log.info({ ...this.#listening }, 'DNS server listens');
        return true;
      } catch (failure) {
        error = failure;
      }
    }
    const why = error instanceof Error ? error.message : String(error);
    if (this.#listenError !== why) this.#log.warn({ ...at, err: error }, 'DNS server cannot listen');
    this.#listenError = why;
    return false;
  }

  /** @throws what the system says */
  async #openOnce({ host, port }: ListenAddress): Promise<void> {
    const base = { counts: this.#counts, respond: this.#responder.respond.bind(this.#responder) };
    const udp = new UdpPort(base);
    const tcp = new TcpPort({ ...base, clock: this.#options.clock });
    try {
      const opened = await tcp.open(host, port);
      await udp.open(host, opened);
      this.#ports = { udp, tcp };
      this.#listening = { host, port: opened };
    } catch (error) {
      await Promise.all([udp.close(), tcp.close()]);
      throw error;
    }
  }
}

/** What the zone says of its server: nothing where it is reached at any address of the machine. */
function ownAddresses(host: string): readonly string[] {
  const all = reachedAt(host);
  return all.length === 1 ? all : [];
}
