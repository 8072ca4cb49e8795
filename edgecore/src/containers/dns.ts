import type { Pod } from '../pods/pod.ts';
import { podLabel } from './pod-label.ts';
import type { DnsConfig } from './resolv-conf.ts';

/** How the node is set up. */
export interface DnsSettings {
  /** Addresses of the cluster's DNS; empty: this node has none. */
  readonly clusterDns: readonly string[];
  /** `cluster.local`; empty: no search paths of the cluster. */
  readonly clusterDomain: string;
  /** The host's own; undefined: pods are to ask the machine itself. */
  readonly host: DnsConfig | undefined;
  /** First addresses of the node, one a family. */
  readonly hostIps: readonly string[];
}

/** How a pod looks up names, and what its owner should know of it: Warning events. */
export interface PodDns {
  readonly dns: DnsConfig;
  readonly warnings: readonly { readonly reason: string; readonly message: string }[];
}

/** What resolvers take. Source: Kubernetes, "DNS for Services and Pods", limits; glibc's MAXNS. */
const MAX_SERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARS = 2048;
const MAX_DOMAIN = 253;

/**
 * How a pod looks up names: by its policy, with its own `dnsConfig` on top, cut to what resolvers take.
 * A policy ClusterFirst on a node without the cluster's DNS gets the host's, and a warning.
 * Source: kubelet, network/dns/dns.go GetPodDNS.
 */
export function podDns(pod: Pod, settings: DnsSettings): PodDns {
  const warnings: { reason: string; message: string }[] = [];
  const policy = effectivePolicy(pod);
  let dns: DnsConfig = { servers: [], searches: [], options: [] };
  if (policy === 'cluster' && settings.clusterDns.length > 0) {
    dns = clusterDns(pod, settings);
  } else if (policy !== 'none') {
    if (policy === 'cluster') warnings.push(missingClusterDns(pod));
    dns = settings.host ?? machineItself(settings.hostIps);
  }
  const { dnsConfig } = pod.spec;
  if (dnsConfig !== undefined) dns = merged(dns, dnsConfig);
  const servers = dns.servers.slice(0, MAX_SERVERS);
  if (servers.length < dns.servers.length) {
    warnings.push(forming('Nameserver', 'nameservers', 'nameserver', servers));
  }
  const searches = fittingSearches(dns.searches);
  if (searches.length < dns.searches.length) {
    warnings.push(forming('Search Line', 'search paths', 'search', searches));
  }
  return { dns: { servers, searches, options: dns.options }, warnings };
}

function effectivePolicy({ spec }: Pod): 'cluster' | 'host' | 'none' {
  switch (spec.dnsPolicy ?? 'ClusterFirst') {
    case 'None':
      return 'none';
    case 'Default':
      return 'host';
    case 'ClusterFirstWithHostNet':
      return 'cluster';
    case 'ClusterFirst':
      return spec.hostNetwork === true ? 'host' : 'cluster';
  }
}

function clusterDns({ metadata }: Pod, { clusterDns: servers, clusterDomain, host }: DnsSettings): DnsConfig {
  const own =
    clusterDomain === ''
      ? []
      : [`${metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
  return { servers, searches: unique([...own, ...(host?.searches ?? [])]), options: ['ndots:5'] };
}

/** A resolver without name servers asks the machine that it is on; so that no runtime puts its own ones in. */
function machineItself(hostIps: readonly string[]): DnsConfig {
  const servers = hostIps.map((ip) => (ip.includes(':') ? '::1' : '127.0.0.1'));
  return { servers: servers.length === 0 ? ['127.0.0.1'] : unique(servers), searches: ['.'], options: [] };
}

function merged(dns: DnsConfig, more: NonNullable<Pod['spec']['dnsConfig']>): DnsConfig {
  const options = new Map(
    dns.options.map((option) => {
      const [, name = option, value = ''] = /^([^:]*):(.*)$/s.exec(option) ?? [];
      return [name, value] as const;
    }),
  );
  for (const { name = '', value = '' } of more.options ?? []) options.set(name, value);
  return {
    servers: unique([...dns.servers, ...(more.nameservers ?? [])]),
    searches: unique([...dns.searches, ...(more.searches ?? [])]),
    options: [...options].map(([name, value]) => (value === '' ? name : `${name}:${value}`)),
  };
}

/** Longest beginning that fits, without paths that are too long to be one. */
function fittingSearches(searches: readonly string[]): readonly string[] {
  const fitting = searches.slice(0, MAX_SEARCHES).filter((search) => search.length <= MAX_DOMAIN);
  while (fitting.join(' ').length > MAX_SEARCH_CHARS) fitting.pop();
  return fitting;
}

function missingClusterDns(pod: Pod): { reason: string; message: string } {
  return {
    reason: 'MissingClusterDNS',
    message:
      `pod: "${podLabel(pod)}". kubelet does not have ClusterDNS IP configured and cannot create Pod using ` +
      '"ClusterFirst" policy. Falling back to "Default" policy.',
  };
}

function forming(
  line: string,
  what: string,
  applied: string,
  left: readonly string[],
): { reason: string; message: string } {
  return {
    reason: 'DNSConfigForming',
    message:
      `${line} limits were exceeded, some ${what} have been omitted, ` +
      `the applied ${applied} line is: ${left.join(' ')}`,
  };
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
