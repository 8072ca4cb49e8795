import path from 'node:path';
import { ContainerdSite } from '@hawser/edgecore/testing';
import type { EdgeConfigInput } from '@hawser/edgecore';
import { ClusterSite } from '../cluster-site/cluster-site.ts';
import { SiteObjects } from '../cluster-site/site-objects.ts';
import type { Choices, TransportChoice } from './choices.ts';
import { CriContainers, type Containers } from './containers.ts';
import { DemoDevice } from './demo-device.ts';
import { DemoEdge } from './demo-edge.ts';
import { NAMESPACE, PODS_LABEL, TAINT, type Demo } from './demo.ts';
import { GuestCluster } from './guest-cluster.ts';
import type { Journal } from './journal.ts';
import { prepareCluster, writeKubeconfig } from './prepare-cluster.ts';
import { ProcessContainers } from './process-containers.ts';
import { since } from './wait.ts';

/** What a demonstration is opened with. */
export interface DemoParts {
  readonly choices: Choices;
  readonly journal: Journal;
  readonly signal: AbortSignal;
  /** Takes what is to be closed at the end, the last one first; also of a demonstration that does not open. */
  readonly opened: Closable[];
  /** Takes the edges. */
  readonly edges: DemoEdge[];
}

/** Something that is to be closed. */
export interface Closable {
  close(): Promise<void>;
}

/** Opens all that the demonstration needs; no edge has joined. @throws Error; `signal.reason` */
export async function openDemo(parts: DemoParts): Promise<Demo> {
  const { choices, journal, signal, opened, edges } = parts;
  journal.title('A control plane, a hub and a container runtime');
  const [cri, site] = await all(openContainerd(parts), openSite(parts));
  signal.throwIfAborted();
  const containers = cri ?? openProcesses(parts, site.dir);
  if (containers === undefined) journal.line('a stand-in reports pods as running, and runs none');
  const kubeconfig = path.join(site.dir, 'demo.kubeconfig');
  await writeKubeconfig(kubeconfig, site.kubeconfig);
  const device = await openDevice(parts, site.dir);
  const closable = { close: () => closeEdges(edges) };
  opened.push(closable);
  for (const [index, node] of nodeNames(choices).entries()) {
    const edge = await DemoEdge.open(site, {
      node,
      transport: transportOf(choices, index),
      config: configOf(index, choices, containers, device),
    });
    edges.push(edge);
    if (!signal.aborted) continue;
    opened.push(closable); // those before it may have been closed meanwhile
    signal.throwIfAborted();
  }
  const [first] = edges;
  if (first === undefined) throw new TypeError('there is at least one edge');
  const objects = new SiteObjects(() => site.client, NAMESPACE);
  const isGuest = choices.kubeconfig !== undefined;
  return { site, objects, kubeconfig, isGuest, edges, first, containers, device, journal, signal };
}

/** Names in a cluster that is not this program's say what they are. */
function nodeNames({ nodes, kubeconfig }: Choices): readonly string[] {
  const prefix = kubeconfig === undefined ? 'edge' : 'demo';
  return Array.from({ length: nodes }, (_, index) => `${prefix}-${index + 1}`);
}

function transportOf({ transport }: Choices, index: number): TransportChoice {
  return transport ?? (index === 1 ? 'quic' : 'ws');
}

/** The first one runs the pods, and has the device; the others say that they run pods, and nobody gives them any. */
function configOf(
  index: number,
  { kubeconfig }: Choices,
  containers: Containers | undefined,
  device: DemoDevice | undefined,
): EdgeConfigInput {
  const taints = kubeconfig === undefined ? [] : [TAINT];
  if (index > 0) return { node: { taints } };
  const own: EdgeConfigInput = {
    node: { taints, labels: PODS_LABEL },
    ...(device !== undefined && { mappers: { dir: device.mappersDir } }),
  };
  return containers?.configure(own) ?? own;
}

async function openContainerd({
  choices: { runtime },
  journal,
  opened,
}: DemoParts): Promise<Containers | undefined> {
  if (runtime !== undefined && runtime !== 'cri') return undefined;
  const available = await ContainerdSite.availability();
  if (!available.ok) {
    if (runtime === 'cri') throw new Error(available.reason);
    journal.line(available.reason);
    return undefined;
  }
  const startedMs = performance.now();
  const containers = await CriContainers.open();
  opened.push(containers);
  journal.done(`${containers.about}, ready after ${since(startedMs)}`);
  return containers;
}

/** Pods as processes, where they are wanted, or there are no containers. */
function openProcesses(
  { choices: { runtime }, journal, opened }: DemoParts,
  dir: string,
): Containers | undefined {
  if (runtime === 'null' || process.platform !== 'linux') return undefined;
  const containers = new ProcessContainers(dir);
  opened.push(containers);
  journal.line(containers.about);
  return containers;
}

async function closeEdges(edges: readonly DemoEdge[]): Promise<void> {
  await Promise.all(edges.map((edge) => edge.close()));
}

async function openSite(parts: DemoParts): Promise<ClusterSite> {
  const { choices, journal, signal, opened } = parts;
  const { kubeconfig } = choices;
  const startedMs = performance.now();
  const hub = {
    logLevel: 'error',
    heartbeatSeconds: 10,
    listen: { quicPort: 0, webTransportPort: choices.transport === 'webtransport' ? 0 : null },
  } as const;
  let guest: GuestCluster | undefined;
  const site = await ClusterSite.open({
    hub,
    ...(kubeconfig !== undefined && { kubeconfig: path.resolve(kubeconfig) }),
    prepare: async (unready) => {
      signal.throwIfAborted();
      if (kubeconfig !== undefined) {
        guest = await GuestCluster.look(path.resolve(kubeconfig), nodeNames(choices));
        opened.push(guest);
      }
      await prepareCluster(unready, signal);
    },
  });
  opened.push(site);
  if (guest !== undefined) opened.push({ close: () => guest?.removeWorkload() ?? Promise.resolve() });
  journal.done(
    kubeconfig === undefined
      ? `the embedded control plane (process ${site.controlPlane.pid}): a Kubernetes API, scheduler, controllers`
      : `the cluster of ${kubeconfig}, in which \`hawser init\` has made what Hawser needs`,
  );
  journal.done(
    `the hub (process ${site.hub().pid}), with an authority of its own; all ready after ${since(startedMs)}`,
  );
  return site;
}

async function openDevice({ journal, opened }: DemoParts, dir: string): Promise<DemoDevice | undefined> {
  const missing = DemoDevice.missing();
  if (missing !== undefined) {
    journal.line(`no device can be shown here: ${missing}`);
    return undefined;
  }
  const device = await DemoDevice.open(dir);
  opened.push(device);
  return device;
}

/** Both, also where one of them fails: what the other one has opened is to be closed. */
async function all<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}
