import type { KubeObject } from '@hawser/kube';
import type { Condition, ResourceList } from './pod.ts';

/** `spec.taints[]` of a node. Source: core/v1 Taint. */
export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
  /** RFC 3339; of NoExecute. */
  readonly timeAdded?: string | null;
}

/** A condition of a node with the time of its last report. */
export interface NodeCondition extends Condition {
  readonly lastHeartbeatTime?: string | null;
}

/** A node, so far as controllers read it. */
export interface Node extends KubeObject {
  readonly spec?: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly Taint[];
    readonly [field: string]: unknown;
  };
  readonly status?: {
    readonly allocatable?: ResourceList;
    readonly capacity?: ResourceList;
    readonly conditions?: readonly NodeCondition[];
    readonly [field: string]: unknown;
  };
}

/** Taints that the control plane sets and takes away by itself. */
export const NODE_TAINTS = {
  notReady: 'node.kubernetes.io/not-ready',
  unreachable: 'node.kubernetes.io/unreachable',
  unschedulable: 'node.kubernetes.io/unschedulable',
  memoryPressure: 'node.kubernetes.io/memory-pressure',
  diskPressure: 'node.kubernetes.io/disk-pressure',
  pidPressure: 'node.kubernetes.io/pid-pressure',
  networkUnavailable: 'node.kubernetes.io/network-unavailable',
} as const;
