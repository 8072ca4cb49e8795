import { isIP } from 'node:net';
import type { Clock, Logger } from '@hawser/seams';
import type { HostDns } from '../containers/host-dns.ts';
import { normalAddress } from './names.ts';

/** Settings of {@link UpstreamServers}. */
export interface UpstreamServersOptions {
  /** Addresses, with commas between; empty: those of the host. */
  readonly configured: string;
  readonly host: HostDns;
  /** Addresses that are our own: asked, we would ask ourselves. */
  readonly own: () => readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often it is looked whether the host asks other servers now: with another network it may. */
const LOOK_MS = 10_000;

/** The servers that are asked for names that are not of the cluster. */
export class UpstreamServers {
  readonly #options: UpstreamServersOptions;
  #ofHost: readonly string[] = [];
  #lookedMs = -Infinity;

  constructor(options: UpstreamServersOptions) {
    this.#options = options;
  }

  /** As they are now; our own addresses are left out. */
  list(): readonly string[] {
    const { configured, own } = this.#options;
    const given = configured === '' ? this.#hosts() : configured.split(',');
    const ours = new Set(own());
    return [...new Set(given)].filter(
      (server) => isIP(server) > 0 && !ours.has(normalAddress(server) ?? server),
    );
  }

  #hosts(): readonly string[] {
    const { host, clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#lookedMs < LOOK_MS) return this.#ofHost;
    this.#lookedMs = nowMs;
    try {
      this.#ofHost = host.read()?.servers ?? [];
    } catch (error) {
      log.warn({ err: error }, 'the resolv.conf of the host cannot be read; the servers stay');
    }
    return this.#ofHost;
  }
}
