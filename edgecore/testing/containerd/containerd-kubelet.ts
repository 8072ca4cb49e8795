import { rm } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger, systemClock } from '@hawser/seams';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { AdminServer, type AdminActions } from '../../src/admin/admin-server.ts';
import { listPods, viewPod } from '../../src/admin/pod-view.ts';
import { EventRecorder } from '../../src/events/event-recorder.ts';
import { KubeletApi } from '../../src/kubelet/kubelet-api.ts';
import { KubeletStats } from '../../src/kubelet/stats/kubelet-stats.ts';
import { StreamServer } from '../../src/kubelet/stream-server.ts';
import { LinuxMachine } from '../../src/node/machine.ts';
import { PodFolders } from '../../src/pods/pod-folders.ts';
import type { ContainerStatus, PodStatus } from '../../src/pods/pod-status-types.ts';
import type { Pod } from '../../src/pods/pod.ts';
import type { ContainerConfig, LinuxSecurity, SandboxConfig } from '../../src/runtime/container-config.ts';
import { CriRuntime } from '../../src/runtime/cri/cri-runtime.ts';
import { makePod } from '../pod-maker.ts';
import type { ContainerdSite } from './containerd-site.ts';
import { TEST_IMAGES } from './test-images.ts';

const NODE = 'edge-1';
const NEVER = new AbortController().signal;
const PLAIN: LinuxSecurity = {
  ...{ privileged: false, capabilities: { add: [], drop: [] }, supplementalGroups: [] },
  ...{ readOnlyRootFilesystem: false, noNewPrivileges: false, maskedPaths: [], readonlyPaths: [] },
  seccomp: { type: 'unconfined' },
};

/**
 * The kubelet API over a real containerd, without an edge core: pods are what a test has started. It is served on an
 * admin socket ({@link socket}), and on streams that are given to {@link server}.
 */
export class ContainerdKubelet {
  readonly runtime: CriRuntime;
  readonly api: KubeletApi;
  readonly server: StreamServer;
  readonly socket: string;
  readonly events: EventRecorder;
  readonly #temp: TempDir;
  readonly #admin: AdminServer;
  readonly #pods = new Map<
    string,
    { readonly pod: Pod; readonly sandbox: SandboxConfig; readonly id: string }
  >();
  readonly #statuses = new Map<string, PodStatus>();

  private constructor(site: ContainerdSite, temp: TempDir) {
    this.#temp = temp;
    const clock = systemClock;
    const log = silentLogger;
    const runtime = new CriRuntime({ endpoint: site.endpoint, log });
    const pods = (): Pod[] => [...this.#pods.values()].map(({ pod }) => pod);
    const folders = new PodFolders({ dataDir: temp.path, logRoot: temp.path });
    const machine = new LinuxMachine(temp.path);
    const statusOf = (uid: string): PodStatus | undefined => this.#statuses.get(uid);
    const stats = new KubeletStats({ node: NODE, machine, runtime, pods, folders, clock });
    this.events = new EventRecorder({ report: () => {}, burst: 25, refillMs: 1000, clock });
    this.runtime = runtime;
    this.api = new KubeletApi({ pods, statusOf, runtime, stats, clock, log });
    this.server = new StreamServer({ handler: this.api, clock, log });
    this.socket = path.join(temp.path, 'edge.sock');
    const sources = { node: NODE, pods: { pods }, statuses: { get: statusOf }, events: this.events };
    const actions: Pick<AdminActions, 'pods' | 'pod'> = {
      pods: () => listPods(sources),
      pod: (namespace, name) => viewPod(sources, namespace, name),
    };
    this.#admin = new AdminServer({
      socket: this.socket,
      actions: actions as AdminActions, // the others are not asked for
      kubelet: this.api,
      log,
    });
  }

  static async open(site: ContainerdSite): Promise<ContainerdKubelet> {
    const kubelet = new ContainerdKubelet(site, await makeTempDir());
    await kubelet.runtime.start();
    await kubelet.#admin.start();
    return kubelet;
  }

  /** Runs a pod of busybox with one container; its UID is `uid-<name>`. */
  async run(name: string, wish: Partial<ContainerConfig> = {}): Promise<void> {
    const container = wish.name ?? 'main';
    const image = wish.image ?? TEST_IMAGES.busybox;
    const tty = wish.tty ?? false;
    const pod = makePod(name, { spec: { containers: [{ name: container, image, tty }] } });
    const sandbox: SandboxConfig = {
      ...{ uid: pod.metadata.uid, namespace: pod.metadata.namespace, name, attempt: 0, hostname: name },
      logDirectory: path.join(this.#temp.path, `${pod.metadata.namespace}_${name}_${pod.metadata.uid}`),
      ...{ dns: undefined, portMappings: [], labels: {}, annotations: {}, cgroupParent: '', sysctls: {} },
      namespaces: { network: 'pod', pid: 'container', ipc: 'pod' },
      ...{ security: PLAIN, resources: {}, runtimeHandler: '' },
    };
    const id = await this.runtime.createSandbox(sandbox, NEVER);
    this.#pods.set(name, { pod, sandbox, id });
    await this.start(name, 0, wish);
  }

  /** Starts an attempt of the pod's container. */
  async start(name: string, attempt: number, wish: Partial<ContainerConfig> = {}): Promise<void> {
    const { sandbox, id } = this.#of(name);
    const container = wish.name ?? 'main';
    const config: ContainerConfig = {
      ...{ name: container, attempt, imageRef: TEST_IMAGES.busybox, image: TEST_IMAGES.busybox },
      ...{ command: ['/bin/sh', '-c'], args: ['trap "exit 0" TERM; sleep 3600 & wait'], workingDir: '' },
      ...{ env: [], mounts: [], devices: [], logPath: `${container}/${attempt}.log` },
      ...{ stdin: false, stdinOnce: false, tty: false, resources: {}, security: PLAIN },
      namespaces: sandbox.namespaces,
      notes: {
        specHash: '1',
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
      },
      ...wish,
    };
    const created = await this.runtime.createContainer(id, sandbox, config, NEVER);
    await this.runtime.startContainer(created, NEVER);
    await this.look(name);
  }

  /** Ends the container that runs. */
  async end(name: string): Promise<void> {
    const found = await this.runtime.get(this.#of(name).pod.metadata.uid);
    const running = found?.containers.find(({ state }) => state === 'running');
    if (running !== undefined) await this.runtime.stopContainer(running.id, 2, NEVER);
    await this.look(name);
  }

  /** Makes the status of a pod what the runtime says now. */
  async look(name: string): Promise<void> {
    const { pod } = this.#of(name);
    const { uid } = pod.metadata;
    const found = await this.runtime.get(uid);
    const statuses = pod.spec.containers.map(({ name, image = '' }): ContainerStatus => {
      const [now, before] = (found?.containers ?? []).filter((one) => one.name === name);
      const idOf = (id: string): string => `${this.runtime.name}://${id}`;
      const isRunning = now?.state === 'running';
      const over = { exitCode: 0, reason: 'Completed' };
      return {
        ...{ name, image, imageID: now?.imageId ?? '', ready: isRunning, started: isRunning },
        restartCount: now?.attempt ?? 0,
        ...(now !== undefined && { containerID: idOf(now.id) }),
        state: isRunning
          ? { running: { startedAt: new Date(now.startedAtMs ?? 0).toISOString() } }
          : { terminated: { ...over, containerID: idOf(now?.id ?? '') } },
        lastState: before === undefined ? {} : { terminated: { ...over, containerID: idOf(before.id) } },
      };
    });
    const ip = found?.sandboxes[0]?.ips[0];
    this.#statuses.set(uid, {
      ...{ phase: 'Running', conditions: [], qosClass: 'BestEffort' },
      startTime: new Date().toISOString(),
      ...(ip !== undefined && { podIP: ip, podIPs: [{ ip }] }),
      containerStatuses: statuses,
    });
  }

  /** Removes what was run. */
  async clear(): Promise<void> {
    for (const { id, sandbox } of this.#pods.values()) {
      await this.runtime.removeSandbox(id, NEVER);
      await rm(sandbox.logDirectory, { recursive: true, force: true });
    }
    this.#pods.clear();
    this.#statuses.clear();
  }

  async close(): Promise<void> {
    this.api.stop();
    this.server.stop();
    await this.#admin.stop();
    await this.clear();
    await this.runtime.stop();
    await this.#temp.remove();
  }

  #of(name: string): { readonly pod: Pod; readonly sandbox: SandboxConfig; readonly id: string } {
    const found = this.#pods.get(name);
    if (found === undefined) throw new Error(`pod ${name} was not run`);
    return found;
  }
}
