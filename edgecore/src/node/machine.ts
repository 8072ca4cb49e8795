import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, networkInterfaces, release } from 'node:os';

/** What of a machine does not change while a process runs. */
export interface MachineFacts {
  /** As Kubernetes names it: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly operatingSystem: string;
  readonly kernelVersion: string;
  /** `PRETTY_NAME` of /etc/os-release. */
  readonly osImage: string;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  /** Online processors. */
  readonly cpus: number;
}

/** What of a machine changes. Bytes. */
export interface MachineReading {
  readonly memoryTotalBytes: number;
  readonly memoryAvailableBytes: number;
  readonly disk: {
    readonly totalBytes: number;
    readonly availableBytes: number;
    /** 0 where the file system does not count them. */
    readonly inodes: number;
    readonly inodesFree: number;
  };
  /** Processes and threads, and how many there can be. */
  readonly pids: { readonly used: number; readonly max: number };
  /** Addresses of the interface with the default route, IPv4 first; all others follow. */
  readonly addresses: readonly string[];
}

/** Where a machine is read from. */
export interface Machine {
  facts(): MachineFacts;
  /** @throws what the file system says: without /proc there is nothing to report */
  read(): MachineReading;
}

/** Node's names of architectures that differ from those of Kubernetes (Go's). */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  mipsel: 'mipsle',
  ppc64: 'ppc64le',
  loong64: 'loong64',
};

/** How a Linux machine is read. */
export class LinuxMachine implements Machine {
  readonly #dataDir: string;
  readonly #root: string;

  /**
   * @param dataDir folder on the disk whose space counts
   * @param root prefix of `/proc`, `/etc` and `/sys`, for tests
   */
  constructor(dataDir: string, root = '') {
    this.#dataDir = dataDir;
    this.#root = root;
  }

  facts(): MachineFacts {
    const machineId = this.#text('/etc/machine-id');
    return {
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      operatingSystem: process.platform,
      kernelVersion: release(),
      osImage: osName(this.#text('/etc/os-release')),
      machineId,
      systemUuid: this.#text('/sys/class/dmi/id/product_uuid') || machineId,
      bootId: this.#text('/proc/sys/kernel/random/boot_id'),
      cpus: availableParallelism(),
    };
  }

  read(): MachineReading {
    const memory = readFileSync(`${this.#root}/proc/meminfo`, 'latin1');
    const disk = statfsSync(this.#dataDir);
    return {
      memoryTotalBytes: kibOf(memory, 'MemTotal') * 1024,
      memoryAvailableBytes: kibOf(memory, 'MemAvailable') * 1024,
      disk: {
        totalBytes: disk.blocks * disk.bsize,
        availableBytes: disk.bavail * disk.bsize,
        inodes: disk.files,
        inodesFree: disk.ffree,
      },
      pids: this.#pids(),
      addresses: this.#addresses(),
    };
  }

  /** Source: kubelet, stats/pidlimit: the smaller of the two bounds, and the fourth field of loadavg. */
  #pids(): MachineReading['pids'] {
    const tasks = /\/(\d+)/.exec(this.#text('/proc/loadavg'))?.[1];
    const bounds = ['pid_max', 'threads-max']
      .map((name) => Number(this.#text(`/proc/sys/kernel/${name}`)))
      .filter((bound) => bound > 0);
    return { used: Number(tasks ?? 0), max: bounds.length === 0 ? 0 : Math.min(...bounds) };
  }

  #addresses(): readonly string[] {
    const preferred = defaultInterface(this.#text('/proc/net/route'));
    const found = Object.entries(networkInterfaces())
      .flatMap(([name, addresses]) => (addresses ?? []).map((address) => ({ name, ...address })))
      .filter(({ internal, address }) => !internal && !/^fe80:|^169\.254\./i.test(address))
      .map(({ name, family, address }) => ({
        address,
        rank: (name === preferred ? 0 : 2) + (family === 'IPv4' ? 0 : 1),
      }));
    return found.toSorted((a, b) => a.rank - b.rank).map(({ address }) => address);
  }

  /** The text of a file without white space around it; empty where it cannot be read: not every machine has every file. */
  #text(path: string): string {
    try {
      return readFileSync(`${this.#root}${path}`, 'utf8').trim();
    } catch {
      return '';
    }
  }
}

function kibOf(meminfo: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1] ?? 0);
}

/** Source: os-release(5). */
function osName(osRelease: string): string {
  const match = /^PRETTY_NAME=(?:"(.*)"|'(.*)'|(.*))$/m.exec(osRelease);
  const text = match?.[1] ?? match?.[2] ?? match?.[3];
  return text?.replaceAll(/\\(.)/g, '$1') ?? 'Linux';
}

/** The interface of the first default route: destination and mask are 0. */
function defaultInterface(routes: string): string | undefined {
  return routes
    .split('\n')
    .map((line) => line.split('\t'))
    .find((fields) => fields[1] === '00000000' && fields[7] === '00000000')?.[0];
}
