import type { ClusterSite } from '../cluster-site/cluster-site.ts';
import type { SiteObjects } from '../cluster-site/site-objects.ts';
import type { Containers } from './containers.ts';
import type { DemoDevice } from './demo-device.ts';
import type { DemoEdge } from './demo-edge.ts';
import type { Journal } from './journal.ts';

/** The namespace of all objects of the demonstration that have one. */
export const NAMESPACE = 'hawser-demo';
/** Its NodePool. */
export const POOL_NAME = 'hawser-demo';
/** Label of the node that runs the pods. */
export const PODS_LABEL = { 'hawser-demo': 'runs-pods' } as const;
/** Taint of edges in a cluster that is not this program's: nobody else's pods are to come here. */
export const TAINT = { key: 'hawser-demo', value: '', effect: 'NoSchedule' } as const;

/** What the parts of the demonstration share. */
export interface Demo {
  readonly site: ClusterSite;
  /** Objects of {@link NAMESPACE}. */
  readonly objects: SiteObjects;
  /** Of its user, with {@link NAMESPACE} as the default. */
  readonly kubeconfig: string;
  /** Whether the cluster is not this program's. */
  readonly isGuest: boolean;
  /** All of them, the one that runs pods first. */
  readonly edges: readonly DemoEdge[];
  /** That runs pods, and has the device. */
  readonly first: DemoEdge;
  /** Absent: a stand-in reports pods as running. */
  readonly containers: Containers | undefined;
  /** Absent: there can be none here. */
  readonly device: DemoDevice | undefined;
  readonly journal: Journal;
  readonly signal: AbortSignal;
}
