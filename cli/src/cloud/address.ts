import { isIP } from 'node:net';
import { CliError } from '../errors.ts';

/** TCP port of a hub unless its configuration says otherwise. */
export const HUB_PORT = 10_000;

/** Where a hub is. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, `[address]:port`. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Reads `host`, `host:port` or `[address]:port`; without a port it is {@link HUB_PORT}.
 * @param option the option that it was given for, for the message
 * @throws CliError `ERR_CLI_USAGE`
 */
export function parseAddress(text: string, option: string): Address {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? HUB_PORT : Number(match[3]);
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  const message = `${option} ${JSON.stringify(text)} is no address: write it as host:port or [address]:port, without a scheme`;
  throw new CliError('ERR_CLI_USAGE', message, { about: option });
}

/**
 * Refuses what is no name and no address under which edges dial a hub: one with a scheme or a port.
 * @throws CliError `ERR_CLI_USAGE`
 */
export function checkNames(names: readonly string[], option: string): void {
  const wrong = names.find((name) => isIP(name) === 0 && !/^\w([\w.-]*\w)?$/.test(name));
  if (wrong === undefined) return;
  const message = `${option} ${JSON.stringify(wrong)} is no name and no address: write it without scheme, brackets and port. The port is what the configuration of the hub says (listen.websocketPort)`;
  throw new CliError('ERR_CLI_USAGE', message, { about: option });
}
