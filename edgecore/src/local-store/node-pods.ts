import type { KubeObject } from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import type { Pod } from '../pods/pod.ts';
import type { PodStatus } from '../pods/pod-status-types.ts';
import type { ChangeHistoryLimits } from './change-history.ts';
import { MadeEntry } from './made-entry.ts';
import { ResourceState, type ObjectChange } from './resource-state.ts';

/** What the node knows of its pods: `PodManager`. */
export interface PodSource {
  pods(): readonly Pod[];
  listen(listener: () => void): () => void;
}

/** How they are: `PodStatuses`. */
export interface PodStatusSource {
  get(uid: string): PodStatus | undefined;
  listen(listener: (uid: string) => void): () => void;
}

/** What {@link NodePods} needs. */
export interface NodePodsOptions {
  readonly pods: PodSource;
  readonly statuses: PodStatusSource;
  /** The version to begin with. */
  readonly version: number;
  readonly clock: Clock;
}

const RESOURCE = { group: '', resource: 'pods' } as const;
const HISTORY: ChangeHistoryLimits = { events: 500, bytes: 1024 * 1024 };

interface Shown {
  readonly pod: Pod;
  readonly status: PodStatus | undefined;
}

/** The pods of this node as readers see them: what the cloud wants, with the status that the node has. */
export class NodePods {
  readonly state: ResourceState;
  readonly #options: NodePodsOptions;
  /** By `namespace/name`. */
  readonly #shown = new Map<string, Shown>();
  readonly #undo: readonly (() => void)[];

  constructor(options: NodePodsOptions) {
    const { pods, statuses, version, clock } = options;
    this.#options = options;
    this.state = new ResourceState({
      ...{ version, clock, limits: HISTORY },
      resource: RESOURCE,
      entries: pods.pods().map((pod) => this.#entry(this.#note(pod), version)),
      floor: version,
    });
    this.#undo = [pods.listen(() => this.#look()), statuses.listen((uid) => this.#look(uid))];
  }

  close(): void {
    for (const undo of this.#undo) undo();
    this.state.close();
  }

  /** Tells of what is another than what is shown; `uid`: only of this pod. */
  #look(uid?: string): void {
    const { pods, statuses } = this.#options;
    const changes: ObjectChange[] = [];
    const present = new Set<string>();
    for (const pod of pods.pods()) {
      const id = idOf(pod);
      present.add(id);
      if (uid !== undefined && pod.metadata.uid !== uid) continue;
      const shown = this.#shown.get(id);
      if (shown?.pod === pod && shown.status === statuses.get(pod.metadata.uid)) continue;
      const { namespace, name, uid: other } = pod.metadata;
      // Another pod of that name: the one before is gone.
      if (shown !== undefined && shown.pod.metadata.uid !== other)
        changes.push({ namespace, name, now: undefined });
      changes.push({ namespace, name, now: this.#entry(this.#note(pod), 0) });
    }
    for (const [id, { pod }] of this.#shown) {
      if (present.has(id)) continue;
      this.#shown.delete(id);
      const { namespace, name } = pod.metadata;
      changes.push({ namespace, name, now: undefined });
    }
    this.state.touch(changes, 'event');
  }

  #note(pod: Pod): Shown {
    const shown = { pod, status: this.#options.statuses.get(pod.metadata.uid) };
    this.#shown.set(idOf(pod), shown);
    return shown;
  }

  #entry({ pod, status }: Shown, version: number): MadeEntry {
    const { namespace, name } = pod.metadata;
    const metadata = pod.metadata as KubeObject['metadata']; // as the API server made it
    return new MadeEntry({ ...RESOURCE, namespace, name }, version, {
      ...{ kind: 'Pod', apiVersion: 'v1', metadata },
      spec: pod.spec,
      status: status ?? { phase: 'Pending' },
    });
  }
}

function idOf({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.name}`;
}
