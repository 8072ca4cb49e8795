import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import type { OpenEntry } from './open-folder.ts';

/** Mounts and unmounts: the three things that need a program, since Node has no mount(2). */
export interface Mounter {
  /** Set: nothing is mounted by it, since nobody may here. Default: it mounts. */
  readonly isIdle?: boolean;
  /**
   * Mounts a file system in memory that is never swapped out where the kernel can do so (6.4 and later).
   * @param sizeBytes at most; absent: half of the machine's memory
   * @throws MountError
   */
  tmpfs(path: string, sizeBytes?: bigint): Promise<void>;
  /**
   * Shows what is held open at another place too, a folder on a folder, a file on a file. Only its own mount, not
   * those below it.
   * @throws MountError
   */
  bind(source: OpenEntry, target: string): Promise<void>;
  /**
   * Unmounts the topmost mount at each path, in this order; goes on after a failure.
   * @param lazy takes it out of the tree at once, and ends it when nobody uses it any more
   * @throws MountError one of them failed
   */
  unmount(paths: readonly string[], lazy?: boolean): Promise<void>;
}

/** A mount or unmount failed; the message is that of the program. */
export class MountError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MountError';
  }
}

/** A program that hangs (a server that does not answer) is ended after this time. */
const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 64 * 1024;
/** Paths that one program is given. */
const MAX_PATHS = 64;
/** No canonical paths (they would follow links), no programs of file systems, no /etc/mtab. */
const FLAGS = ['--no-canonicalize', '--internal-only', '--no-mtab'];
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

/** Mounts with `mount` and `umount` of util-linux: about 3 ms each. Those of BusyBox lack the flags that make it safe. */
export class SystemMounter implements Mounter {
  #swaps = false;

  async tmpfs(path: string, sizeBytes?: bigint): Promise<void> {
    const size = sizeBytes === undefined ? [] : [`size=${sizeBytes}`];
    const mount = (options: readonly string[]): Promise<void> =>
      run('mount', [...FLAGS, '-t', 'tmpfs', ...withOptions(options), 'tmpfs', path]);
    if (this.#swaps) return mount(size);
    try {
      await mount([...size, 'noswap']);
    } catch (error) {
      await mount(size).catch(() => {
        throw error; // it was not the option
      });
      this.#swaps = true; // an older kernel: not tried again
    }
  }

  bind(source: OpenEntry, target: string): Promise<void> {
    return run('mount', [...FLAGS, '--bind', `/proc/${process.pid}/fd/${source.fd}`, target]);
  }

  async unmount(paths: readonly string[], lazy = false): Promise<void> {
    let failed: unknown;
    for (let from = 0; from < paths.length; from += MAX_PATHS) {
      const some = paths.slice(from, from + MAX_PATHS);
      await run('umount', [...FLAGS, ...(lazy ? ['--lazy'] : []), ...some]).catch((error: unknown) => {
        failed ??= error;
      });
    }
    if (failed !== undefined) throw failed as Error;
  }
}

/**
 * For an edge core that may not mount, and a runtime that can do without: what was to be in memory is on the disk, for
 * its user alone.
 */
export class IdleMounter implements Mounter {
  readonly isIdle = true;

  tmpfs(path: string): Promise<void> {
    return chmod(path, 0o700);
  }

  bind(_source: OpenEntry, target: string): Promise<void> {
    return Promise.reject(new MountError(`nothing can be mounted at ${target}: that needs root`));
  }

  unmount(): Promise<void> {
    return Promise.resolve();
  }
}

function withOptions(options: readonly string[]): readonly string[] {
  return options.length === 0 ? [] : ['-o', options.join(',')];
}

function run(program: string, args: readonly string[]): Promise<void> {
  const options = {
    ...{ env: ENVIRONMENT, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES },
    killSignal: 'SIGKILL' as const,
  };
  return new Promise((resolve, reject) => {
    execFile(program, args, options, (error, _, stderr) => {
      if (error === null) resolve();
      else reject(new MountError(whyNot(program, error, stderr), { cause: error }));
    });
  });
}

function whyNot(
  program: string,
  error: Error & { code?: unknown; killed?: boolean },
  stderr: string,
): string {
  if (error.code === 'ENOENT') return `there is no program ${program}; install util-linux`;
  if (error.killed === true) return `${program} did not finish within ${TIMEOUT_MS / 1000} s`;
  const said = stderr.trim().replaceAll(/\s*\n\s*/g, '; ');
  return said === '' ? error.message : said;
}
