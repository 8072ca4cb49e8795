import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { delay } from '@hawser/seams';
import { startControlPlane, type ControlPlane } from '@hawser/controlplane';
import { ResourceClient, RESOURCES, type KubeObject } from '@hawser/kube';
import type { Display } from './display.ts';

const NODE = 'edge-ws';
const REPLICAS = 3;

/** The node that the demonstration registers by hand: edges do so themselves once they exist. */
const NODE_OBJECT: KubeObject = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: NODE, labels: { 'kubernetes.io/hostname': NODE } },
};
const NODE_STATUS = {
  allocatable: { cpu: '2', memory: '512Mi', pods: '20' },
  capacity: { cpu: '2', memory: '512Mi', pods: '20' },
  conditions: [{ type: 'Ready', status: 'True', reason: 'Demonstration' }],
};

const DEPLOYMENT: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'line-reader', namespace: 'default' },
  spec: {
    replicas: REPLICAS,
    selector: { matchLabels: { app: 'line-reader' } },
    template: {
      metadata: { labels: { app: 'line-reader' } },
      spec: {
        containers: [{ name: 'reader', image: 'busybox', resources: { requests: { memory: '16Mi' } } }],
      },
    },
  },
};

/** A control plane of the demonstration. */
export interface DemoControlPlane {
  readonly plane: ControlPlane;
  readonly kubeconfig: string;
}

/** Starts the embedded control plane over SQLite in `dir`, and has it schedule a Deployment. */
export async function demonstrateControlPlane(
  display: Display,
  dir: string,
  signal: AbortSignal,
): Promise<DemoControlPlane> {
  display.title('The embedded control plane: a Kubernetes API over SQLite');
  const startedMs = performance.now();
  const plane = await startControlPlane({ dataDir: path.join(dir, 'control-plane') });
  display.done(`ready at ${plane.url} after ${Math.round(performance.now() - startedMs)} ms`);
  const kubeconfig = path.join(dir, 'kubeconfig');
  await writeFile(kubeconfig, plane.kubeconfig, { mode: 0o600 });
  try {
    await schedule(display, plane, signal);
  } catch (error) {
    await plane.stop();
    throw error;
  }
  return { plane, kubeconfig };
}

async function schedule(display: Display, plane: ControlPlane, signal: AbortSignal): Promise<void> {
  const nodes = new ResourceClient(plane.client, RESOURCES.nodes);
  const node = await nodes.create(NODE_OBJECT);
  await nodes.update({ ...node, status: NODE_STATUS }, { subresource: 'status' });
  // The scheduler wants the taint gone with which a new node begins; node lifecycle takes it off.
  display.line(`node ${NODE} registered; a Deployment of ${REPLICAS} is applied …`);
  const startedMs = performance.now();
  await new ResourceClient(plane.client, RESOURCES.deployments).create(DEPLOYMENT);
  const pods = new ResourceClient(plane.client, RESOURCES.pods);
  for (;;) {
    const { items } = await pods.list('default');
    const scheduled = items.filter(({ spec }) => (spec as { nodeName?: string }).nodeName === NODE);
    if (scheduled.length === REPLICAS) break;
    if (performance.now() - startedMs > 15_000)
      throw new Error(`${scheduled.length} of ${REPLICAS} pods scheduled`);
    await delay(10, { signal });
  }
  const afterMs = Math.round(performance.now() - startedMs);
  display.done(`Deployment → ReplicaSet → ${REPLICAS} pods, scheduled to ${NODE} after ${afterMs} ms`);
  display.line('they wait there: running pods at the edge is the work to come');
}

/** What a person may try against it. */
export function kubectlLines({ kubeconfig }: DemoControlPlane): readonly string[] {
  return [
    `export KUBECONFIG=${kubeconfig}`,
    'kubectl get nodes,pods -o wide',
    'kubectl scale deployment line-reader --replicas 5',
    'kubectl get pods -w',
  ];
}
