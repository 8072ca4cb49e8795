// How to use it, in a file of tests (mocha), one site for all of them:
//
//   let site: ContainerdSite;
//   before(async function () {
//     site = await openContainerdSite(this); // skips, and says why, where containers cannot be run
//   });
//   after(() => site?.close());
//
// `site.endpoint` is the address for a CRI client (`unix://…`), `TEST_IMAGES.busybox` an image that is there, and
// `site.cgroupRoot` the place for cgroups of pods (they go with the site). `site.kill()` and `site.start()` restart
// containerd while containers run on; `site.powerCut()` ends everything as a power cut does, and `site.start()` is the
// boot. `LocalRegistry.open()` and `site.addRegistry(name, url)` are for pulls. Without mocha: `ContainerdSite.open()`.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { eventually } from '@hawser/seams/testing';
import { containerdAvailability, type ContainerdAvailability } from './availability.ts';
import { hasImage, isCriReady } from './cri-ready.ts';
import { withMachineLock } from './machine-lock.ts';
import { findProgram, runProgram } from './run-program.ts';
import { clearSite, cutPower, sweepStaleSites } from './site-clearing.ts';
import { siteRemains } from './site-remains.ts';
import { cniConfig, containerdConfig, hostsConfig, sitePaths, type SitePaths } from './site-config.ts';
import { claimPlace, type SitePlace } from './site-place.ts';
import { testImageArchive } from './test-images.ts';

/** The namespace of containerd that CRI uses. */
const NAMESPACE = 'k8s.io';
const START_DEADLINE_MS = 30_000;
const LOG_TAIL_BYTES = 4_000;

/** Settings of {@link ContainerdSite.open}. */
export interface ContainerdSiteOptions {
  /** OCI archives to import beside that of the test images. Default: none. */
  readonly archives?: readonly string[];
}

/**
 * A containerd of this process's own, with what it needs: folders, socket, runc, a network of pods, images. It has
 * nothing in common with another containerd of the machine, and several sites can be open at once. It needs root.
 *
 * Closing it leaves nothing of it. If this process is killed, containerd is killed with it, and the rest (shims,
 * containers, mounts, cgroups, the bridge) is cleared when the next site is opened on the machine.
 */
export class ContainerdSite {
  readonly #place: SitePlace;
  readonly #paths: SitePaths;
  readonly #archives: readonly string[];
  #child: ChildProcess | undefined;
  #wiped = true;
  #closing: Promise<void> | undefined;

  private constructor(place: SitePlace, archives: readonly string[]) {
    this.#place = place;
    this.#paths = sitePaths(place);
    this.#archives = archives;
  }

  /** Whether sites can be opened here, or why not. Found out once. */
  static availability(): Promise<ContainerdAvailability> {
    return containerdAvailability();
  }

  /** Opens a site and starts it, after clearing what dead processes have left. @throws Error with the reason */
  static async open(options: ContainerdSiteOptions = {}): Promise<ContainerdSite> {
    const available = await containerdAvailability();
    if (!available.ok) throw new Error(available.reason);
    const archives = [await testImageArchive(), ...(options.archives ?? [])];
    const place = await withMachineLock(async () => {
      await sweepStaleSites();
      return claimPlace();
    });
    const site = new ContainerdSite(place, archives);
    try {
      await site.#configure(available);
      await site.start();
      return site;
    } catch (error) {
      await site.close();
      throw error;
    }
  }

  /** Path of the socket. */
  get socket(): string {
    return this.#paths.socket;
  }

  /** Of the socket, as a CRI client takes it: `unix:///run/…/containerd.sock`. */
  get endpoint(): string {
    return `unix://${this.socket}`;
  }

  /** Folder that stays over a power cut. It is the site's; tests may make folders in it too. */
  get dir(): string {
    return this.#place.dir;
  }

  /** Path from the root of each hierarchy, for cgroups of pods: what is below it is removed with the site. */
  get cgroupRoot(): string {
    return this.#place.cgroupRoot;
  }

  /** Of its pods: `10.213.7.0/24`. */
  get subnet(): string {
    return this.#place.subnet;
  }

  /** What containerd says. */
  get logFile(): string {
    return this.#paths.log;
  }

  /** Of containerd; undefined while it is down. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts containerd, and waits until it answers and has the images. Idempotent. @throws Error with the end of its log */
  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    const child = await this.#spawn();
    const failed = once(child, 'exit').then(() => true);
    try {
      await eventually(
        'containerd answers',
        async () => {
          if (hasEnded(child)) throw new Error('containerd has ended');
          return isCriReady(this.socket);
        },
        { deadlineMs: START_DEADLINE_MS, intervalMs: 20 },
      );
    } catch (error) {
      await this.kill();
      await failed;
      throw new Error(`${(error as Error).message}; the end of its log:\n${await this.#logTail()}`, {
        cause: error,
      });
    }
    if (!this.#wiped) return;
    for (const archive of this.#archives) await this.import(archive);
    this.#wiped = false;
  }

  /** Kills containerd as it stands (SIGKILL). Containers and their shims run on. Idempotent. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /**
   * Ends everything as a power cut does; {@link start} is the boot. What is below `/run` is gone, and with it every
   * task; what containerd keeps on its disk about sandboxes, containers and images stays, as on a real machine.
   * @param options wipe: the disk is gone too, so that containerd knows of nothing when it starts again; the images
   *   of the site are imported anew, what was pulled is not there. Default false
   */
  async powerCut(options: { readonly wipe?: boolean } = {}): Promise<void> {
    await this.kill();
    await cutPower(this.#place);
    if (options.wipe !== true) return;
    await rm(this.#paths.root, { recursive: true, force: true });
    await rm(path.join(this.dir, 'addresses'), { recursive: true, force: true });
    this.#wiped = true;
  }

  /** Imports an OCI archive; answers the names of its images, which CRI knows from then on. */
  async import(archive: string): Promise<string[]> {
    const output = await this.ctr(['images', 'import', archive]);
    const names = [...output.matchAll(/^unpacking (\S+)/gm)].flatMap(([, name]) => name ?? []);
    await eventually(`CRI knows ${names.join(', ')}`, async () => {
      const known = await Promise.all(names.map((name) => hasImage(this.socket, name)));
      return known.every(Boolean);
    });
    return names;
  }

  /** Runs `ctr` in the namespace of CRI; its stdout. @throws Error with its stderr */
  ctr(args: readonly string[]): Promise<string> {
    return runProgram('ctr', ['--address', this.socket, '--namespace', NAMESPACE, ...args]);
  }

  /** What pods have of this machine at the moment, see {@link siteRemains}: nothing once the last one has gone. */
  remains(): Promise<readonly string[]> {
    return siteRemains(this.#place, (args) => this.ctr(args));
  }

  /**
   * Lets images of a registry be pulled from another address, without TLS. It holds at once.
   * @param name as images name it: `docker.io`, `registry.hawser.test`, `127.0.0.1:5000`
   * @param url `http://127.0.0.1:5000`
   */
  async addRegistry(name: string, url: string): Promise<void> {
    const dir = path.join(this.#paths.registries, name);
    await mkdir(dir, { recursive: true });
    await writeFile(path.join(dir, 'hosts.toml'), hostsConfig(url));
  }

  /** Ends everything, and leaves nothing. May be called more than once. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.kill();
    await withMachineLock(() => clearSite(this.#place));
  }

  async #configure({ snapshotter, portMappings }: ContainerdAvailability & { ok: true }): Promise<void> {
    const { cni, config, registries } = this.#paths;
    for (const dir of [cni, registries]) await mkdir(dir, { recursive: true });
    await writeFile(path.join(cni, '10-hawser.conflist'), cniConfig(this.#place, portMappings));
    await writeFile(config, containerdConfig(this.#place, snapshotter));
  }

  /** The kernel kills containerd when this process is gone, however it went (PR_SET_PDEATHSIG). */
  async #spawn(): Promise<ChildProcess> {
    const log = await open(this.logFile, 'a');
    try {
      const setpriv = findProgram('setpriv');
      const line = ['containerd', '--config', this.#paths.config];
      const [command = '', ...args] =
        setpriv === undefined ? line : [setpriv, '--pdeathsig', 'KILL', ...line];
      // A group of its own: Ctrl-C at a terminal is for this process, which closes the site.
      const child = spawn(command, args, { stdio: ['ignore', log.fd, log.fd], detached: true });
      await once(child, 'spawn');
      this.#child = child;
      return child;
    } finally {
      await log.close();
    }
  }

  async #logTail(): Promise<string> {
    return (await readFile(this.logFile, 'utf8').catch(() => '')).slice(-LOG_TAIL_BYTES);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** What of mocha's context {@link openContainerdSite} uses. */
interface SkippableContext {
  timeout(ms: number): unknown;
  skip(): never;
}

/**
 * Opens a site in a `before` hook. Where containers cannot be run the tests of the suite are skipped, with the reason
 * on the screen. Building images and clearing stale sites may take time, so the hook's limit is raised to a minute.
 */
export async function openContainerdSite(
  context: SkippableContext,
  options: ContainerdSiteOptions = {},
): Promise<ContainerdSite> {
  context.timeout(60_000);
  const available = await ContainerdSite.availability();
  if (!available.ok) {
    console.log(`    skipped: ${available.reason}`);
    context.skip();
  }
  return ContainerdSite.open(options);
}
