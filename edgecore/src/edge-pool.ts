import type { EdgePool, EdgePoolOptions } from './edge-pool-types.ts';
import { DnsServer } from './dns/dns-server.ts';
import { EdgeCoreError } from './errors.ts';
import { TunnelCloudAccess } from './local-api/cloud-access.ts';
import type { ConnectionTaker } from './local-api/lazy-local-api.ts';
import { LocalApi } from './local-api/local-api.ts';
import { LocalStore } from './local-store/local-store.ts';
import { NodeObjects } from './local-store/node-objects.ts';
import { makePoolMember } from './pool/make-pool-member.ts';
import type { PoolMember } from './pool/pool-member.ts';
import type { PoolStatus } from './pool/pool-types.ts';
import { StopList } from './stop-list.ts';

/**
 * Makes pool member, local store, local API and DNS of the node, in this order; they are stopped the other way round. Loaded
 * with the first pool, the first connection to the local API, or for names of the cluster.
 */
export async function makeEdgePool(options: EdgePoolOptions): Promise<EdgePool> {
  return new Pool(options, await makePoolMember(options));
}

class Pool implements EdgePool {
  readonly #options: EdgePoolOptions;
  readonly #member: PoolMember;
  readonly #store: LocalStore;
  readonly #stop = new StopList();
  #api: Promise<LocalApi> | undefined;
  #dns: DnsServer | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: EdgePoolOptions, member: PoolMember) {
    const { node, scope, store, pods, statuses, reporter, time, clock, log } = options;
    this.#options = options;
    this.#member = member;
    const own = new NodeObjects({
      ...{ node, scope, pods, statuses, reporter, clock },
      replica: store.replica,
      wallMs: () => time.wallMs(),
      log: log.child({ component: 'local-store' }),
    });
    this.#store = new LocalStore({ pool: member, node: own, clock });
  }

  async start(): Promise<void> {
    const { config, registry, clock, random, log } = this.#options;
    this.#stop.add(() => this.#member.stop());
    await this.#member.start();
    this.#stop.add(() => this.#store.close());
    this.#store.start();
    if (config.dns.listen === '') return;
    this.#member.needed();
    const dns = new DnsServer({ store: this.#store, config, registry, clock, random, log });
    this.#dns = dns;
    this.#stop.add(() => dns.stop());
    await dns.start();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop.run();
    return this.#stopped;
  }

  async localApi(): Promise<ConnectionTaker> {
    this.#member.needed();
    this.#api ??= this.#startApi().catch((error: unknown) => {
      this.#api = undefined;
      throw error;
    });
    return await this.#api;
  }

  setConnected(connected: boolean): void {
    this.#member.setConnected(connected);
  }

  status(): PoolStatus | undefined {
    return this.#member.status();
  }

  problems(): readonly { readonly code: string; readonly message: string }[] {
    return [...this.#member.problems(), ...(this.#dns?.problems() ?? [])];
  }

  async #startApi(): Promise<LocalApi> {
    const { node, config, localApi, hub, pods, identity, time, registry, clock, random, log } = this.#options;
    const { certificate } = localApi;
    if (certificate === undefined)
      throw new EdgeCoreError('ERR_EDGECORE_LOCAL_API', 'the local API has no certificate');
    const api = new LocalApi({
      ...{ node, certificate, registry, clock, random },
      dataDir: config.data.dir,
      port: localApi.port,
      pool: this.#member,
      objects: this.#store,
      cloud: new TunnelCloudAccess({ hub, clock }),
      filters: config.localApi.filters,
      podAddress: () => localApi.podAddress,
      pods: () => pods.pods(),
      nodeAuthorities: () => identity.credentials().authorities,
      // A token is good by the cluster's time, whatever the clock of this machine says.
      wallMs: () => time.hubMs() ?? time.wallMs(),
      log: log.child({ component: 'local-api' }),
    });
    await api.start();
    this.#stop.add(() => api.stop());
    return api;
  }
}
