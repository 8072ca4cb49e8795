import { networkInterfaces } from 'node:os';
import { normalAddress } from './names.ts';

/** Where a server listens. */
export interface ListenAddress {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Reads `address:port` or `[address]:port`, which the configuration has checked; undefined for nothing. */
export function parseListen(text: string): ListenAddress | undefined {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  return host === undefined ? undefined : { host, port: Number(port) };
}

const ALL = new Set(['0.0.0.0', '::']);

/** The addresses at which a server is reached that listens on `host`. */
export function reachedAt(host: string): readonly string[] {
  const address = normalAddress(host) ?? host;
  if (!ALL.has(address)) return [address];
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  return own.flatMap(({ address: one }) => normalAddress(one) ?? []);
}
