import type { HubAddress } from '@hawser/proto';

/** Port of a hub for WebSocket where none is said. */
export const DEFAULT_HUB_PORT = 10_000;

/** Reads `host`, `host:port` or `[address]:port`; the form was checked with the configuration. */
export function parseHubAddress(text: string): HubAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw new TypeError(`${text} is no address of a hub`);
  return { host, port: match?.[3] === undefined ? DEFAULT_HUB_PORT : Number(match[3]) };
}
