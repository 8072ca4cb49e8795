import { readFileSync } from 'node:fs';
import { parseResolvConf, type DnsConfig } from './resolv-conf.ts';

/** Where a machine keeps it. */
const USUAL = '/etc/resolv.conf';
/** Where systemd-resolved writes the servers that it asks itself. */
const BEHIND_RESOLVED = '/run/systemd/resolve/resolv.conf';
const LOOPBACK = /^(127\.|::1$)/;

/** How the host looks up names. */
export class HostDns {
  readonly #file: string;
  readonly #behind: string;

  /**
   * @param file empty: pods get nothing of the host
   * @param behind file to be read instead of the usual one where that names only servers of this machine: no pod with
   *   a network of its own reaches them
   */
  constructor(file: string, behind = file === USUAL ? BEHIND_RESOLVED : '') {
    this.#file = file;
    this.#behind = behind;
  }

  /**
   * As it is now; undefined: pods get nothing of it.
   * @throws what the file system says
   */
  read(): DnsConfig | undefined {
    if (this.#file === '') return undefined;
    const own = parseResolvConf(readFileSync(this.#file, 'utf8'));
    const isLocal = own.servers.length > 0 && own.servers.every((server) => LOOPBACK.test(server));
    return (isLocal ? this.#readBehind() : undefined) ?? own;
  }

  #readBehind(): DnsConfig | undefined {
    if (this.#behind === '') return undefined;
    try {
      return parseResolvConf(readFileSync(this.#behind, 'utf8'));
    } catch {
      return undefined; // no systemd-resolved here: the local server is another one, and all there is
    }
  }
}
