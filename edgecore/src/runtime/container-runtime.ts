import type { ContainerConfig, ContainerNotes, SandboxConfig } from './container-config.ts';
import type { ImageStore } from './image-store.ts';

/** State of one container, as the runtime says. */
export type RuntimeContainerState = 'created' | 'running' | 'exited' | 'unknown';

/** How a container ended, so far as an event says. */
export interface ContainerEnd {
  readonly exitCode: number;
  /** Milliseconds since the epoch. */
  readonly finishedAtMs: number;
}

/** One container of a pod in the runtime; each attempt is one of its own. */
export interface RuntimeContainer {
  /** Its name in the pod's spec. */
  readonly name: string;
  /** As the runtime has it. In the API it is `<runtime>://<id>`. */
  readonly id: string;
  readonly sandboxId: string;
  /** 0 for the first one of that name in the pod, one more with each restart. */
  readonly attempt: number;
  /** As the pod's spec names it, or as the runtime does. */
  readonly image: string;
  /** Digest or reference of the image that it really runs. */
  readonly imageId: string;
  readonly state: RuntimeContainerState;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
  /** Set once it has exited. */
  readonly exitCode?: number;
  /**
   * Set from the moment on when the runtime has told that it ended until its state says so with all that belongs to it:
   * meanwhile it may be said to be running, and `reason` and `message` are not final. That much is. A runtime that
   * tells of no ends before they are state does not set it.
   */
  readonly ended?: ContainerEnd;
  /** As in the API: `Completed`, `Error`, `OOMKilled`, `ContainerCannotRun`. */
  readonly reason?: string;
  readonly message?: string;
  /** Absolute path of its log; empty: it has none. */
  readonly logPath: string;
  readonly notes: ContainerNotes;
}

/** A sandbox of a pod in the runtime. */
export interface RuntimeSandbox {
  readonly id: string;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAtMs: number;
  /** Addresses, first one first; none for pods on the host's network. */
  readonly ips: readonly string[];
}

/** A pod as the runtime has it: what runs, and what is left of before. */
export interface RuntimePod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** The latest first; at least one. */
  readonly sandboxes: readonly RuntimeSandbox[];
  /** Of all sandboxes; the latest attempt of each name first. */
  readonly containers: readonly RuntimeContainer[];
}

/** What a command inside of a container has done. Output beyond 64 KiB of each kind is cut off. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Use of one container. Source: CRI v1 ContainerStats. */
export interface ContainerUsage {
  readonly podUid: string;
  readonly name: string;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** Nanoseconds of CPU since the container's start. */
  readonly cpuNanos: number;
  readonly memoryWorkingSetBytes: number;
  /** Of the writable layer. */
  readonly diskBytes: number;
  readonly diskInodes: number;
}

/** A way into a running pod. */
export type StreamRequest =
  | {
      readonly kind: 'exec';
      readonly containerId: string;
      readonly command: readonly string[];
      readonly stdin: boolean;
      readonly stdout: boolean;
      readonly stderr: boolean;
      readonly tty: boolean;
    }
  | {
      readonly kind: 'attach';
      readonly containerId: string;
      readonly stdin: boolean;
      readonly stdout: boolean;
      readonly stderr: boolean;
      readonly tty: boolean;
    }
  | { readonly kind: 'port-forward'; readonly sandboxId: string; readonly ports: readonly number[] };

/** What a runtime says of itself. Source: CRI v1 RuntimeStatus. */
export interface RuntimeCondition {
  /** `RuntimeReady`, `NetworkReady`. */
  readonly type: string;
  readonly ok: boolean;
  readonly reason: string;
  readonly message: string;
}

/** In what a runtime differs from one that speaks CRI. Where one of them is absent, it does not. */
export interface RuntimeTraits {
  /** What whoever uses the node has to know: said at the start, with the node's condition Ready and an annotation of it. */
  readonly caution?: string;
  /** Whether pods get cgroups that the edge core makes. Default true. */
  readonly usesCgroups?: boolean;
  /**
   * Whether volumes have to be mounts where they are mounts with CRI. If not, an edge core that may not mount puts
   * those in memory on the disk, and names a sub-path by its own path. Default true.
   */
  readonly needsMounts?: boolean;
}

/**
 * What runs containers. The truth about what runs is in here and nowhere else: workers ask again before they decide,
 * so an event that was missed costs time, and nothing else. It knows nothing of specs, volumes, probes and policies:
 * its callers have resolved them. Every implementation passes `describeContainerRuntime` of
 * `@hawser/edgecore/testing`.
 *
 * All calls reject with `RuntimeError` (`ERR_EDGECORE_RUNTIME…`, `notFound` where what was named is not there), and
 * with `signal.reason`.
 */
export interface ContainerRuntime {
  /** `null`, `containerd`, `process`; the scheme of container ids. */
  readonly name: string;
  /** As `nodeInfo.containerRuntimeVersion` has it: `containerd://1.6.20`. Known after {@link start}. */
  readonly version: string;
  /** Whether containers really run in it; if not, the node says so. */
  readonly real: boolean;
  readonly traits?: RuntimeTraits;
  readonly images: ImageStore;
  /**
   * Whether mounts below a read-only one can be made read-only too. Known after {@link start}; absent: never.
   * @param handler of the pod (`SandboxConfig.runtimeHandler`)
   */
  hasRecursiveReadOnly?(handler: string): boolean;

  /** Begins to listen. A runtime that is away is no error: it is tried again, and {@link conditions} say so. Idempotent. */
  start(): Promise<void>;
  /** Lets go of the runtime; pods go on where they can. Idempotent. */
  stop(): Promise<void>;
  /** Every pod that it has. */
  list(): Promise<readonly RuntimePod[]>;
  /** One pod, undefined where it has none of that UID. */
  get(uid: string): Promise<RuntimePod | undefined>;
  /**
   * Calls with the UID of a pod that may have changed; undefined: any of them. Where an end is told before it is state
   * ({@link RuntimeContainer.ended}), again when it is. Answers how to stop listening.
   */
  listen(listener: (uid: string | undefined) => void): () => void;
  conditions(): Promise<readonly RuntimeCondition[]>;

  /** Makes and starts a sandbox, network included; its id. The same `uid` and `attempt` again: the one that is there. */
  createSandbox(config: SandboxConfig, signal: AbortSignal): Promise<string>;
  /** Ends what still runs in it, and takes its network away. Idempotent. */
  stopSandbox(id: string, signal: AbortSignal): Promise<void>;
  /** Removes it and its containers. Not there: nothing to do. */
  removeSandbox(id: string, signal: AbortSignal): Promise<void>;
  /** Makes a container that does not run yet; its id. The same name and attempt again: the one that is there. */
  createContainer(
    sandboxId: string,
    sandbox: SandboxConfig,
    config: ContainerConfig,
    signal: AbortSignal,
  ): Promise<string>;
  startContainer(id: string, signal: AbortSignal): Promise<void>;
  /** Ends it: a signal, and a kill after `graceSeconds`. Resolves when it has ended; ended already: nothing to do. */
  stopContainer(id: string, graceSeconds: number, signal: AbortSignal): Promise<void>;
  /** Not there: nothing to do. */
  removeContainer(id: string, signal: AbortSignal): Promise<void>;
  /** Runs a command. @throws RuntimeError `ERR_EDGECORE_RUNTIME_TIMEOUT` after `timeoutMs` */
  exec(id: string, command: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<ExecResult>;
  /** Where the stream of a request can be had: HTTP on loopback, to be upgraded by SPDY or WebSocket; good once, soon. */
  streamUrl(request: StreamRequest, signal: AbortSignal): Promise<URL>;
  /** Goes on in a new file at the log's path: the old one was moved away. */
  reopenLog(containerId: string, signal: AbortSignal): Promise<void>;
  usage(signal: AbortSignal): Promise<readonly ContainerUsage[]>;
}
