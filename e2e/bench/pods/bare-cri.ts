import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CriRuntime, type ContainerConfig, type SandboxConfig } from '@hawser/edgecore/runtime';
import {
  makeContainerConfig,
  makeSandboxConfig,
  MASKED_PATHS,
  READONLY_PATHS,
  TEST_IMAGES,
  type ContainerdSite,
} from '@hawser/edgecore/testing';
import { silentLogger } from '@hawser/seams';

/** Sleeps until it is told to end. */
export const SLEEP = 'trap "exit 0" TERM; sleep 100000 & wait';

/** Of a pod that asks for nothing. */
const LEAST_CPU_SHARES = 2;

const { signal } = new AbortController();

/**
 * The rival: the calls that a pod needs, made directly, by the client that the edge has, and nothing else. They ask for
 * what the edge asks for: cgroups, profiles, masks and files are those of a pod without requests. Its pods are of
 * another owner than the edge's.
 */
export class BareCri {
  readonly #site: ContainerdSite;
  readonly #runtime: CriRuntime;
  readonly #sandboxes: string[] = [];
  #pods = 0;

  constructor(site: ContainerdSite) {
    this.#site = site;
    this.#runtime = new CriRuntime({ endpoint: site.endpoint, owner: 'bench', log: silentLogger });
  }

  /** RunPodSandbox, CreateContainer, StartContainer; how long they took, milliseconds. */
  async startPod(): Promise<number> {
    const name = `bare-${this.#pods++}`;
    const { sandbox, container } = await this.#prepare(name);
    const startedMs = performance.now();
    const sandboxId = await this.#runtime.createSandbox(sandbox, signal);
    this.#sandboxes.push(sandboxId);
    const id = await this.#runtime.createContainer(sandboxId, sandbox, container, signal);
    await this.#runtime.startContainer(id, signal);
    return performance.now() - startedMs;
  }

  /** As many pods, some at a time; how long until the last one runs, milliseconds. */
  async startPods(count: number, atATime: number): Promise<number> {
    const startedMs = performance.now();
    let left = count;
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await this.startPod();
      }
    };
    await Promise.all(Array.from({ length: atATime }, worker));
    return performance.now() - startedMs;
  }

  /** Ends what it has started. */
  async clear(): Promise<void> {
    for (const id of this.#sandboxes.splice(0)) {
      await this.#runtime.stopSandbox(id, signal);
      await this.#runtime.removeSandbox(id, signal);
    }
  }

  async stop(): Promise<void> {
    await this.clear();
    await this.#runtime.stop();
  }

  /** Files are not the runtime's business, and so not of the time that is measured. */
  async #prepare(name: string): Promise<{ sandbox: SandboxConfig; container: ContainerConfig }> {
    const logDirectory = path.join(this.#site.dir, 'bare-logs', name);
    await mkdir(path.join(logDirectory, 'main'), { recursive: true });
    const hosts = path.join(logDirectory, 'hosts');
    const message = path.join(logDirectory, 'message');
    await Promise.all([writeFile(hosts, '127.0.0.1 localhost\n'), writeFile(message, '')]);
    const cgroupParent = path.join(this.#site.cgroupRoot, 'kubepods', 'besteffort', `pod${name}`);
    const waiting = makeSandboxConfig({ uid: name, name, hostname: name, logDirectory, cgroupParent });
    const sandbox: SandboxConfig = {
      ...waiting,
      security: { ...waiting.security, seccomp: { type: 'runtime-default' } },
      resources: { cpuShares: LEAST_CPU_SHARES },
    };
    const running = makeContainerConfig({
      imageRef: TEST_IMAGES.busybox,
      image: TEST_IMAGES.busybox,
      command: ['sh', '-c', SLEEP],
      logPath: 'main/0.log',
      mounts: [
        { hostPath: hosts, containerPath: '/etc/hosts' },
        { hostPath: message, containerPath: '/dev/termination-log' },
      ],
      resources: { cpuShares: LEAST_CPU_SHARES, oomScoreAdj: 1000 },
    });
    const security = { ...running.security, maskedPaths: MASKED_PATHS, readonlyPaths: READONLY_PATHS };
    return { sandbox, container: { ...running, security } };
  }
}
