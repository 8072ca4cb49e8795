import type { Pod } from '../pods/pod.ts';

type HostAliases = NonNullable<Pod['spec']['hostAliases']>;

const LOCAL_LINES = `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`;

/**
 * `/etc/hosts` of a pod with a network of its own: itself under each of its addresses, and its aliases.
 * @param domain empty: it has none
 * Source: kubelet, managedHostsFileContent.
 */
export function podHostsFile(
  podIps: readonly string[],
  hostname: string,
  domain: string,
  aliases: HostAliases = [],
): string {
  const names = domain === '' ? hostname : `${hostname}.${domain}\t${hostname}`;
  const own = podIps.map((ip) => `${ip}\t${names}\n`);
  return LOCAL_LINES + own.join('') + aliasLines(aliases);
}

/**
 * `/etc/hosts` of a pod on the host's network: the host's, and the pod's aliases.
 * Source: kubelet, nodeHostsFileContent.
 */
export function hostNetworkHostsFile(hostFile: string, aliases: HostAliases = []): string {
  return `# Kubernetes-managed hosts file (host network).\n${hostFile}${aliasLines(aliases)}`;
}

function aliasLines(aliases: HostAliases): string {
  if (aliases.length === 0) return '';
  const lines = aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join('')}`;
}
