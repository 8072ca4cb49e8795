import { MemoryStore } from '@hawser/kube';
import { seededRandom, silentLogger, systemClock, type Clock } from '@hawser/seams';
import { Registry } from '@hawser/seams/metrics';
import { eventually } from '@hawser/seams/testing';
import { DnsServer, type DnsServerOptions } from '../../src/dns/dns-server.ts';
import type { At } from './dns-client.ts';

/** Settings of {@link startDns}. */
export interface DnsSiteOptions {
  readonly store?: MemoryStore;
  /** Default: any port of loopback. */
  readonly listen?: string;
  /** Addresses to ask, with commas between. Default: one where nobody listens. */
  readonly upstream?: string;
  readonly upstreamPort?: number;
  readonly resolvConf?: string;
  readonly clock?: Clock;
  readonly ready?: () => boolean;
}

/** A DNS server over a store of its own. */
export interface DnsSite {
  readonly server: DnsServer;
  readonly store: MemoryStore;
  readonly registry: Registry;
  /** Where it listens. */
  readonly at: At;
  /** Prometheus text of a metric. */
  figure(name: string): Promise<number>;
}

/** A server that is not started. */
export function makeDns(options: DnsSiteOptions = {}): {
  server: DnsServer;
  store: MemoryStore;
  registry: Registry;
} {
  const { store = new MemoryStore(), listen = '127.0.0.1:0', upstream = '127.0.0.1' } = options;
  const { upstreamPort = 9, resolvConf = '', clock = systemClock, ready } = options;
  const registry = new Registry();
  const settings: DnsServerOptions = {
    ...{ store, registry, clock, upstreamPort, random: seededRandom(1), log: silentLogger },
    config: { dns: { listen, upstream, clusterDomain: 'cluster.local' }, pods: { resolvConf } },
    ...(ready !== undefined && { ready }),
  };
  return { server: new DnsServer(settings), store, registry };
}

/** Starts a server; resolves once it knows its store. */
export async function startDns(options: DnsSiteOptions = {}): Promise<DnsSite> {
  const { server, store, registry } = makeDns(options);
  await server.start();
  await eventually('the names are known', () => server.synced);
  const at = server.address;
  if (at === undefined) throw new Error(`it does not listen: ${JSON.stringify(server.problems())}`);
  const figure = async (name: string): Promise<number> => {
    const line = (await registry.metrics()).split('\n').find((one) => one.startsWith(`${name} `));
    return Number(line?.split(' ').at(-1) ?? Number.NaN);
  };
  return { server, store, registry, at, figure };
}
