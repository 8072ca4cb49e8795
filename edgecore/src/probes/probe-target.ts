import { isIPv6 } from 'node:net';
import type { PodContainer } from '../pods/pod.ts';

const MAX_PORT = 65_535;

/** Where a probe or a hook goes. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/**
 * The host and port that a handler means.
 * @param host of the handler; absent: the pod
 * @param podIp address of the pod; empty: it has none yet
 * @throws Error where there is no such port, or no address
 */
export function targetOf(
  container: PodContainer,
  port: number | string,
  host: string | undefined,
  podIp: string,
): Target {
  const number = portOf(container, port);
  const meant = host === undefined || host === '' ? podIp : host;
  // Without a host it would be this machine that is asked.
  if (meant === '') throw new Error('the pod has no address');
  return { host: meant, port: number };
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function addressOf({ host, port }: Target): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** A number, or the name of one of the container's ports. Source: kubernetes, pkg/probe/util.go. */
function portOf(container: PodContainer, port: number | string): number {
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  const number = named ?? (typeof port === 'number' || /^\d+$/.test(port) ? Number(port) : undefined);
  if (number === undefined) throw new Error(`"${port}" is none of the ports of the container`);
  if (number >= 1 && number <= MAX_PORT) return number;
  throw new Error(`invalid port number: ${number}`);
}
