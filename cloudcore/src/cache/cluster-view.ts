import type { KubeObject } from '@hawser/kube';
import type { ScopeView } from '@hawser/sync';
import type { KubeletFacts } from '../cluster/node-kubelet.ts';

/** What of a pod decides who may say what about it. */
export interface PodFacts {
  readonly uid: string;
  readonly nodeName: string;
  /** Whether `metadata.deletionTimestamp` is set. */
  readonly deleting: boolean;
  readonly serviceAccountName: string;
}

/** What of a device decides who may say what about it. */
export interface DeviceFacts {
  readonly uid: string;
  readonly nodeName: string;
  /** resourceVersion of the newest that was seen of it, its status included. */
  readonly version: string;
}

/** What of a Node the hub looks at. */
export interface NodeFacts {
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Status of the condition Ready: `True`, `False`, `Unknown`; undefined where there is none. */
  readonly ready: string | undefined;
  /** Where it says that its kubelet is. */
  readonly kubelet: KubeletFacts;
}

/** The hub's shared picture of the cluster: one watch for each resource, only what edges need kept. */
export interface ClusterView {
  /** Whether every cache has seen a complete list. */
  readonly ready: boolean;
  /** What the node is to have. The same view for every caller; known nodes and unknown ones alike. */
  nodeView(node: string): ScopeView;
  /** Declares a node an edge node before its Node object says so (its session is up). Answers how to take it back. */
  claim(node: string): () => void;
  pod(namespace: string, name: string): PodFacts | undefined;
  /** A pod of an edge node as it passed by last, whole, if that was not long ago; another state may follow it already. */
  recentPod(namespace: string, name: string): KubeObject | undefined;
  /** A pod that is bound to the node and runs as the service account; of several any, one that is not being deleted first. */
  podAs(
    node: string,
    namespace: string,
    serviceAccountName: string,
  ): { readonly name: string; readonly uid: string } | undefined;
  node(name: string): NodeFacts | undefined;
  /** A device that is bound to a node. */
  device(namespace: string, name: string): DeviceFacts | undefined;
  /** Pods that are bound to edge nodes, as the full objects pass by: for policies that write to them. */
  onPod(listener: (namespace: string, name: string) => void): () => void;
  /** Nodes whose facts have changed. */
  onNode(listener: (name: string) => void): () => void;
}
