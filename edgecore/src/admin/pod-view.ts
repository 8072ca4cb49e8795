import type { EventRecorder } from '../events/event-recorder.ts';
import { regarding } from '../pods/recorded-pod-events.ts';
import type { Pod } from '../pods/pod.ts';
import type { PodStatus } from '../pods/pod-status-types.ts';
import type { PodRows, PodView } from './admin-types.ts';
import { podRow } from './pod-row.ts';

/** What pods are shown from. */
export interface PodSources {
  /** Name of the node. */
  readonly node: string;
  readonly pods: { pods(): readonly Pod[] };
  readonly statuses: { get(uid: string): PodStatus | undefined };
  readonly events: EventRecorder;
}

/** Every pod that the node is to run. */
export function listPods({ pods, statuses }: PodSources): PodRows {
  return { items: pods.pods().map((pod) => podRow(pod, statuses.get(pod.metadata.uid))) };
}

/** One pod with all that is known of it here; undefined: there is none. */
export function viewPod(sources: PodSources, namespace: string, name: string): PodView | undefined {
  const pod = sources.pods
    .pods()
    .find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  if (pod === undefined) return undefined;
  const { metadata, spec } = pod;
  const status = sources.statuses.get(metadata.uid);
  return {
    ...podRow(pod, status),
    node: sources.node,
    pod: { metadata, spec },
    ...(status !== undefined && { status }),
    events: sources.events.recent(regarding(pod)),
  };
}
