import { networkInterfaces } from 'node:os';

const ALL_IPV6 = '::';
const ALL_IPV4 = '0.0.0.0';

/** An address to listen on: without IPv6 in the kernel `::` cannot be bound, and all of IPv4 takes its place. */
export function bindable(host: string): string {
  return host === ALL_IPV6 && !hasIpv6() ? ALL_IPV4 : host;
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some(({ family }) => family === 'IPv6'));
}
