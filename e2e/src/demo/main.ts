// The main job, for `npm start`: a control plane, a hub and edge nodes, each a process of its own, over a line that this
// program cuts, and pods in a real containerd where there may be one. Everything shown is measured while it happens.
import { parseArgs } from 'node:util';
import { ContainerdSite } from '@hawser/edgecore/testing';
import { delay } from '@hawser/seams';
import { ClusterSite } from '../cluster-site/cluster-site.ts';
import type { SiteEdge } from '../cluster-site/site-edge.ts';
import { demonstrate, type Demo } from './cluster-demo.ts';
import { Display } from './display.ts';

const HELP = `npm start [-- OPTIONS]   shows Hawser at work

A control plane, a hub and two edge nodes run on this machine, each a process of its own, with a line in between that
this program can cut. A node joins with a token and runs a Deployment's pods in a containerd of its own; a ConfigMap
changes inside of them; the line is cut and a container killed, which comes back; the node loses its power and starts
its pods from its disk, without a cloud; the line is healed, and nothing is rebuilt. Another node is revoked; the hub
is killed.
Where containers cannot be run (it needs root and containerd) a stand-in reports pods as running, and says so.

  --runtime cri|null   default: cri where it can be
  --once               end after the demonstration (default when not at a terminal)
  --keep               go on until Ctrl-C (default at a terminal)
  --help               this text
`;

/** Opens a containerd, where there can be one and it is wanted. */
async function openContainerd(
  wish: string | undefined,
  display: Display,
): Promise<ContainerdSite | undefined> {
  if (wish === 'null') return undefined;
  if (wish !== undefined && wish !== 'cri') throw new Error(`--runtime is cri or null, not ${wish}`);
  const available = await ContainerdSite.availability();
  if (!available.ok) {
    if (wish === 'cri') throw new Error(`no containers can be run here: ${available.reason}`);
    display.line(`no containers can be run here: ${available.reason}`);
    display.line('a stand-in reports pods as running, and runs none');
    return undefined;
  }
  const startedMs = performance.now();
  const containerd = await ContainerdSite.open();
  display.done(
    `a containerd of its own (process ${containerd.pid ?? 0}, pods in ${containerd.subnet}), ready after ${Math.round(performance.now() - startedMs)} ms`,
  );
  return containerd;
}

async function openSite(display: Display): Promise<ClusterSite> {
  const startedMs = performance.now();
  const site = await ClusterSite.open({
    hub: { logLevel: 'error', heartbeatSeconds: 10, listen: { quicPort: 0 } },
  });
  const afterMs = Math.round(performance.now() - startedMs);
  display.done(
    `the embedded control plane (process ${site.controlPlane.pid}): a Kubernetes API, scheduler, controllers`,
  );
  display.done(
    `the hub (process ${site.hub().pid}), with an authority of its own; both ready after ${afterMs} ms`,
  );
  return site;
}

async function keepRunning(demo: Demo, edge: SiteEdge): Promise<void> {
  const { site, containerd, display, signal } = demo;
  display.title('Running. Ctrl-C ends it. In another terminal:');
  const hawser = 'node cli/dist/src/main.js';
  for (const line of [
    `export KUBECONFIG=${site.kubeconfig}`,
    'kubectl get nodes,pods -o wide',
    ...(containerd === undefined
      ? []
      : ['kubectl logs -f deployment/line-reader', 'kubectl exec -it deployment/line-reader -- sh']),
    'kubectl scale deployment line-reader --replicas 5',
    'kubectl edit configmap settings',
    `${hawser} status --socket ${edge.socket}`,
    `${hawser} pods --socket ${edge.socket}`,
  ])
    display.line(line);
  while (!signal.aborted) {
    display.status(await statusOf(edge));
    await delay(1000, { signal }).catch(() => {}); // Ctrl-C
  }
}

async function statusOf(edge: SiteEdge): Promise<string> {
  const { session, scopes, node } = await edge.admin.status();
  const objects = scopes.reduce((sum, scope) => sum + scope.objects, 0);
  const roundTrip = session.current?.roundTripMs?.toFixed(1) ?? '–';
  return `${edge.node}: ${session.state}, ${node.pods['sync'] ?? 0} pods, ${objects} objects, round trip ${roundTrip} ms`;
}

/** Closes what was opened, the last one first, all of it; answers what failed. */
async function closeAll(opened: { close(): Promise<void> }[]): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (let site = opened.pop(); site !== undefined; site = opened.pop()) {
    try {
      await site.close();
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}

/** Resolves when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runtime: { type: 'string' },
      once: { type: 'boolean' },
      keep: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return;
  }
  const keep = values.keep ?? (values.once !== true && process.stdin.isTTY && process.stdout.isTTY);
  const display = new Display();
  const stopping = new AbortController();
  const interrupt = (): void => stopping.abort(new Error('interrupted'));
  // npm passes a terminal's Ctrl-C on, so that it may come twice: it must not end the stopping.
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const { signal } = stopping;
  const opened: { close(): Promise<void> }[] = [];
  const work = async (): Promise<void> => {
    display.title('A control plane, a hub and a container runtime');
    const containerd = await openContainerd(values.runtime, display);
    if (containerd !== undefined) opened.push(containerd);
    const site = await openSite(display);
    opened.push(site);
    const demo: Demo = { site, containerd, display, signal };
    const edge = await demonstrate(demo);
    if (keep) await keepRunning(demo, edge);
  };
  const working = work().catch((error: unknown) => {
    if (!signal.aborted) throw error; // what an interrupted part says is of no interest
  });
  try {
    await Promise.race([working, aborted(signal)]);
  } finally {
    display.title('Stopping');
    const failures = await closeAll(opened);
    await Promise.allSettled([working]);
    failures.push(...(await closeAll(opened))); // what was being opened meanwhile
    for (const failure of failures) display.line(`not stopped cleanly: ${String(failure)}`);
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
  display.done('everything stopped');
}

try {
  await main();
} catch (error) {
  process.stderr.write(
    `${error instanceof Error ? error.message : String(error)}\nnpm start -- --help shows the options.\n`,
  );
  process.exitCode = 1;
}
