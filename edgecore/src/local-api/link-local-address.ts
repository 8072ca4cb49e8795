import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';

/** Runs `ip` of iproute2. */
export type IpCommand = (args: readonly string[]) => Promise<void>;

/** Settings of {@link LinkLocalAddress}. */
export interface LinkLocalAddressOptions {
  /** IPv4. */
  readonly address: string;
  /** Default `hawser0`. */
  readonly device?: string;
  /** Default: the program. Rejects with its words. */
  readonly ip?: IpCommand;
  /** Whether an address is one of this machine. Default: what the kernel says. */
  readonly isPresent?: (address: string) => boolean;
  /** What the kernel has as alias of an interface; undefined: there is none of this name. */
  readonly aliasOf?: (device: string) => Promise<string | undefined>;
}

/** Marks an interface as made here, over restarts. */
const ALIAS = 'hawser local API';
const DEVICE = 'hawser0';
const LOOPBACK = 'lo';
/** Words of iproute2 for a kernel without CONFIG_DUMMY. */
const NO_DUMMY = /Unknown device type|Operation not supported|Not supported/i;
const TIMEOUT_MS = 10_000;
/** For how long an answer of the kernel counts: to ask it takes a millisecond, and each container that starts wants to know. */
const FRESH_MS = 1000;
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/**
 * An address of this machine that is nobody else's: on a dummy interface of its own, by which pods reach the node
 * whatever network they are in; on loopback where the kernel has no dummy interfaces. Made where it is not there; removed
 * only if it was made here.
 */
export class LinkLocalAddress {
  readonly #options: Required<LinkLocalAddressOptions>;
  #isOnLoopback = false;
  #seen: { readonly isPresent: boolean; readonly untilMs: number } | undefined;

  constructor(options: LinkLocalAddressOptions) {
    this.#options = { device: DEVICE, ip: runIp, isPresent, aliasOf, ...options };
  }

  /** Whether programs can reach it; a second ago, at most. */
  get isPresent(): boolean {
    if (this.#seen === undefined || performance.now() >= this.#seen.untilMs) return this.#look();
    return this.#seen.isPresent;
  }

  /** Makes sure that it is there; whoever has made it. @throws Error with the words of `ip` */
  async ensure(): Promise<void> {
    const { address, ip } = this.#options;
    if (this.#look()) return;
    const device = await this.#device();
    await ip(['address', 'replace', `${address}/32`, 'dev', device]);
    if (device === LOOPBACK) this.#isOnLoopback = true;
    else await ip(['link', 'set', device, 'up']);
    this.#look();
  }

  /** Removes the interface, if it was made here. @throws Error with the words of `ip` */
  async remove(): Promise<void> {
    const { address, device, ip } = this.#options;
    if (this.#isOnLoopback) await ip(['address', 'delete', `${address}/32`, 'dev', LOOPBACK]);
    this.#isOnLoopback = false;
    if ((await this.#options.aliasOf(device)) === ALIAS) await ip(['link', 'delete', device]);
    this.#seen = undefined;
  }

  #look(): boolean {
    const isPresent = this.#options.isPresent(this.#options.address);
    this.#seen = { isPresent, untilMs: performance.now() + FRESH_MS };
    return isPresent;
  }

  /** The interface that is to have it: one of its own, or loopback's where the kernel has no dummy interfaces. */
  async #device(): Promise<string> {
    const { device, ip, aliasOf } = this.#options;
    if ((await aliasOf(device)) !== undefined) return device;
    try {
      await ip(['link', 'add', device, 'type', 'dummy']);
    } catch (error) {
      if (NO_DUMMY.test((error as Error).message)) return LOOPBACK;
      throw error;
    }
    await ip(['link', 'set', device, 'alias', ALIAS]);
    return device;
  }
}

function runIp(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, env: ENVIRONMENT, encoding: 'utf8' } as const;
    execFile('ip', args, options, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`ip ${args.join(' ')}: ${stderr.trim() || error.message}`, { cause: error }));
    });
  });
}

function isPresent(address: string): boolean {
  return Object.values(networkInterfaces()).some(
    (addresses) => addresses?.some((each) => each.address === address) === true,
  );
}

async function aliasOf(device: string): Promise<string | undefined> {
  try {
    return (await readFile(`/sys/class/net/${device}/ifalias`, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
