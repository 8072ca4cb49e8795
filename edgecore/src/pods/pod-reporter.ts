import type { Clock } from '@hawser/seams';
import type { ContainerRuntime, RuntimePod } from '../runtime/container-runtime.ts';
import type { Pod } from './pod.ts';
import type { PodEvents } from './pod-events.ts';
import type { PodParts } from './pod-parts.ts';
import type { PodEnd } from './plan-types.ts';
import { podStatus } from './pod-status.ts';
import type { PodStatus, Waiting } from './pod-status-types.ts';
import type { PodStatuses } from './pod-statuses.ts';
import { TerminationMessages } from './termination-messages.ts';

/** What a worker tells the cloud. */
export interface PodReports {
  /** The latest status counts. */
  status(pod: Pod, status: PodStatus): void;
  /** Nothing of a pod that was to be deleted is left here. */
  gone(pod: Pod): void;
}

/** What a {@link PodReporter} needs. */
export interface PodReporterOptions {
  readonly uid: string;
  readonly runtime: Pick<ContainerRuntime, 'name' | 'real'>;
  readonly parts: Pick<PodParts, 'probes' | 'logTail'>;
  readonly statuses: PodStatuses;
  readonly reports: PodReports;
  readonly events: PodEvents;
  readonly hostIps: () => readonly string[];
  readonly clock: Clock;
}

/** What one look at a pod has found. */
export interface SeenPod {
  readonly pod: Pod;
  readonly inRuntime: RuntimePod | undefined;
  /** Containers that wait, and for what. Default: none. */
  readonly waiting?: ReadonlyMap<string, Waiting>;
  /** Set: it ends, or has ended. */
  readonly end?: PodEnd & { readonly isStopped: boolean };
}

const NO_WAITING: ReadonlyMap<string, Waiting> = new Map();

/** Makes the status of one pod, keeps it, and says it. */
export class PodReporter {
  readonly #options: PodReporterOptions;
  readonly #messages: TerminationMessages;
  #hasReported = false;

  constructor(options: PodReporterOptions) {
    this.#options = options;
    this.#messages = new TerminationMessages(options.parts.logTail);
  }

  /** Has the next status said in any case. */
  repeat(): void {
    this.#hasReported = false;
  }

  /** Makes the status, and says it. Rejects where it cannot be made durable. */
  async report(seen: SeenPod): Promise<void> {
    await this.say(seen.pod, await this.note(seen));
  }

  /** Makes the status, and what is new in it events; the status of after goes on from it. */
  async note({ pod, inRuntime, waiting = NO_WAITING, end }: SeenPod): Promise<PodStatus> {
    const { statuses, uid, clock, hostIps, parts, runtime } = this.#options;
    const previous = statuses.get(uid);
    const status = podStatus({
      ...{ pod, runtime: inRuntime, previous, waiting, end },
      runtimeName: runtime.name,
      verdict: (container, id) => parts.probes.verdict(pod, container, id),
      messages: await this.#messages.of(inRuntime, previous),
      needsAddress: runtime.real,
      hostIps: hostIps(),
      nowMs: clock.wallMs(),
    });
    if (statuses.note(uid, status)) this.#sayChanges(pod, previous, status);
    return status;
  }

  /** Makes it durable, then says it: if it is another one than what was said last. */
  async say(pod: Pod, status: PodStatus): Promise<void> {
    const { statuses, uid, reports } = this.#options;
    const isNew = await statuses.set(uid, status);
    // The first one after a start is said in any case: whether the cloud had it is not known.
    if (isNew || !this.#hasReported) reports.status(pod, status);
    this.#hasReported = true;
  }

  /** Events of what came about by itself. */
  #sayChanges(pod: Pod, previous: PodStatus | undefined, status: PodStatus): void {
    const { events } = this.#options;
    const { phase, reason, message = '' } = status;
    if (phase === 'Failed' && previous?.phase !== 'Failed' && reason !== undefined)
      events.record(pod, reason === 'DeadlineExceeded' ? 'Normal' : 'Warning', reason, message);
    const before = new Map(
      [...(previous?.initContainerStatuses ?? []), ...(previous?.containerStatuses ?? [])].map(
        (one) => [one.name, one] as const,
      ),
    );
    for (const { name, state, restartCount } of [
      ...(status.initContainerStatuses ?? []),
      ...status.containerStatuses,
    ]) {
      if (state.waiting?.reason !== 'CrashLoopBackOff') continue;
      const last = before.get(name);
      const isSame = last?.state.waiting?.reason === 'CrashLoopBackOff' && last.restartCount === restartCount;
      const { metadata } = pod;
      const where = `${metadata.name}_${metadata.namespace}(${metadata.uid})`;
      const text = `Back-off restarting failed container ${name} in pod ${where}`;
      if (!isSame) events.record(pod, 'Warning', 'BackOff', text, name);
    }
  }
}
