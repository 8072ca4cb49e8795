import type { OptionTable } from './option.ts';

/** Options of the DNS server for names of the cluster. */
export const DNS_OPTIONS = {
  listen: {
    kind: 'text',
    default: '',
    pattern: {
      source: '^$|^(\\[[0-9A-Fa-f:.]+\\]|[^\\s:/]+):\\d{1,5}$',
      is: '`address:port`, `[address]:port`, or nothing',
    },
    meaning:
      'Where a DNS server for names of the cluster listens, UDP and TCP, such as 169.254.2.1:53 with `pods.clusterDns` the same address. Empty: none.',
  },
  clusterDomain: {
    kind: 'text',
    default: 'cluster.local',
    pattern: { source: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$', is: 'a lower-case DNS name' },
    meaning: 'The domain that it answers for.',
  },
  upstream: {
    kind: 'text',
    default: '',
    pattern: { source: '^$|^[0-9A-Fa-f:.]+(,[0-9A-Fa-f:.]+)*$', is: 'IP addresses with commas' },
    meaning: 'Servers that it asks for all other names. Empty: those of `pods.resolvConf`.',
  },
} as const satisfies OptionTable[string];
