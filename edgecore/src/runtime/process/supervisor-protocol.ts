import type { ContainerConfig, SandboxConfig } from '../container-config.ts';
import type { ContainerUsage, ExecResult, RuntimePod, StreamRequest } from '../container-runtime.ts';
import type { Abilities } from './abilities.ts';

/**
 * Of the words between an edge core and the supervisor. It goes up only when an older supervisor, which still has
 * pods when the edge core was replaced by a newer one, could not be spoken with any more.
 */
export const PROTOCOL = 1;

/** What a supervisor says of itself. */
export interface SupervisorFacts {
  readonly protocol: number;
  /** Release of the edge core that has started it. */
  readonly release: string;
  readonly pid: number;
  readonly abilities: Abilities;
}

/** A sandbox that was made, and what has to be said about it. */
export interface MadeSandbox {
  readonly id: string;
  /** Whether it was not there before. */
  readonly isNew: boolean;
  /** Ports that another pod of this node says to listen on, in words. */
  readonly conflicts: readonly string[];
}

/** What a supervisor does: the calls of `ContainerRuntime`, of one node, after what cannot be kept was refused. */
export interface SupervisorCalls {
  hello(): Promise<SupervisorFacts>;
  list(): Promise<readonly RuntimePod[]>;
  get(uid: string): Promise<RuntimePod | undefined>;
  createSandbox(config: SandboxConfig): Promise<MadeSandbox>;
  stopSandbox(id: string): Promise<void>;
  removeSandbox(id: string): Promise<void>;
  createContainer(sandboxId: string, sandbox: SandboxConfig, config: ContainerConfig): Promise<string>;
  startContainer(id: string): Promise<void>;
  stopContainer(id: string, graceSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;
  exec(id: string, command: readonly string[], timeoutMs: number): Promise<ExecResult>;
  streamUrl(request: StreamRequest): Promise<string>;
  reopenLog(id: string): Promise<void>;
  usage(): Promise<readonly ContainerUsage[]>;
}

/** Names of the calls. */
export const CALLS = [
  'hello',
  'list',
  'get',
  'createSandbox',
  'stopSandbox',
  'removeSandbox',
  'createContainer',
  'startContainer',
  'stopContainer',
  'removeContainer',
  'exec',
  'streamUrl',
  'reopenLog',
  'usage',
] as const satisfies readonly (keyof SupervisorCalls)[];

/** From the edge core, one JSON value a line: a call, or the end of one that nobody waits for any more. */
export type ToSupervisor =
  | { readonly id: number; readonly call: keyof SupervisorCalls; readonly args: readonly unknown[] }
  | { readonly cancel: number };

/** An error, as it is sent. */
export interface SentError {
  readonly code: string;
  readonly message: string;
  readonly notFound: boolean;
  readonly about?: string | undefined;
}

/** From the supervisor: the answer to a call, or the UID of a pod that has changed. */
export type FromSupervisor =
  | { readonly id: number; readonly result?: unknown; readonly error?: SentError }
  | { readonly changed: string };

/** Files of a supervisor, below its folder. */
export const SUPERVISOR_FILES = {
  socket: 'supervisor.sock',
  log: 'supervisor.log',
  pods: 'pods',
  containers: 'containers',
} as const;
