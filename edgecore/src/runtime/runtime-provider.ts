import type { Clock, Logger } from '@hawser/seams';
import type { JsonState } from '../state/json-state.ts';
import type { ContainerRuntime } from './container-runtime.ts';

/** Of {@link RuntimeProvider} and what it makes. Another one is not loaded. */
export const RUNTIME_API_VERSION = 'hawser.dev/runtime/v1';

/** Names a pod in an event. */
export interface PodReference {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** What the edge core gives a runtime that it makes. */
export interface RuntimeContext<Options = Readonly<Record<string, unknown>>> {
  /** From `pods.runtimeOptions`, as `RuntimeProvider.readOptions` has made them. */
  readonly options: Options;
  /** Name of the node. */
  readonly node: string;
  /** A folder of the runtime's own, mode 0700; there already. */
  readonly dataDir: string;
  /** Small things to remember; the keys are the runtime's own. */
  readonly state: JsonState;
  /** The node's addresses, first one first; none before the node was looked at. */
  readonly nodeAddresses: () => readonly string[];
  /** Says something about a pod by an Event. */
  readonly tell: (pod: PodReference, type: 'Normal' | 'Warning', reason: string, message: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * What a module exports by default so that the edge core can run pods with it (`pods.runtime: <name or path>`). A
 * plain object: a provider needs nothing of Hawser but these types.
 *
 * Errors that its runtime rejects with become `RuntimeError` with their message, but for the reason of a signal; `code`
 * where it is `ERR_EDGECORE_RUNTIME`, `…_TIMEOUT` or `…_UNREACHABLE`, and `notFound: true`, are kept.
 */
export interface RuntimeProvider<Options = Readonly<Record<string, unknown>>> {
  /** {@link RUNTIME_API_VERSION}. */
  readonly apiVersion: string;
  /**
   * Checks `pods.runtimeOptions`. Default: there are none, and any is a mistake.
   * @throws Error whose message names every problem
   */
  readOptions?(options: Readonly<Record<string, unknown>>): Options;
  /** Makes the runtime, not started. */
  create(context: RuntimeContext<Options>): ContainerRuntime | Promise<ContainerRuntime>;
}
