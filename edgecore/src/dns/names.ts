import { isIP, isIPv4, isIPv6 } from 'node:net';

/** What a label of a cluster's names can be, underscores of SRV names too; lower-case. */
const LABEL = /^[a-z0-9_]([-a-z0-9_]*[a-z0-9_])?$/;
const LONGEST_LABEL = 63;
const LONGEST_NAME = 253;

/** Whether a text can be one label of a name that is answered with. */
export function isLabel(text: string): boolean {
  return text.length <= LONGEST_LABEL && LABEL.test(text);
}

/** A name in lower case without a dot at its end; undefined: it can be none. */
export function normalName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '');
  if (name === '' || name.length > LONGEST_NAME) return undefined;
  return name.split('.').every(isLabel) ? name : undefined;
}

/**
 * An address in its one way of being written: IPv6 shortened and in lower case. undefined: it is none, or one with a
 * zone, which means something at one machine only.
 */
export function normalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes('%')) return undefined;
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

const V4_TAIL = ['in-addr', 'arpa'] as const;
const V6_TAIL = ['ip6', 'arpa'] as const;

/** The address that a name of the reverse zones is about, as `normalAddress` writes it; undefined: none. */
export function reverseAddress(labels: readonly string[]): string | undefined {
  const tail = labels.slice(-2);
  const rest = labels.slice(0, -2).reverse();
  if (isSame(tail, V4_TAIL) && rest.length === 4) {
    const address = rest.join('.');
    return isIPv4(address) ? address : undefined;
  }
  if (isSame(tail, V6_TAIL) && rest.length === 32 && rest.every((label) => /^[0-9a-f]$/.test(label))) {
    return normalAddress(rest.join('').replace(/(.{4})(?=.)/g, '$1:'));
  }
  return undefined;
}

/** The address in the first label of a pod's name: `10-1-2-3`, `2001-db8--1`; undefined: none. Source: CoreDNS, `pods insecure`. */
export function dashedAddress(label: string): string | undefined {
  const asV4 = label.replaceAll('-', '.');
  if (isIPv4(asV4)) return asV4;
  const asV6 = label.replaceAll('-', ':');
  return isIP(asV6) === 6 ? normalAddress(asV6) : undefined;
}

/** The label of an endpoint without a host name, from its address: unique in its Service, and always the same. */
export function addressLabel(address: string): string {
  return address.replaceAll(/[.:]/g, '-');
}

/** Whether labels end with others. */
export function isBelow(labels: readonly string[], tail: readonly string[]): boolean {
  const start = labels.length - tail.length;
  return start >= 0 && tail.every((label, index) => labels[start + index] === label);
}

function isSame(labels: readonly string[], others: readonly string[]): boolean {
  return labels.length === others.length && isBelow(labels, others);
}
