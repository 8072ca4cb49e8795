// The main job so far as it exists, for `npm start`: a control plane, a hub and edge nodes, each a process of its own,
// over a line that this program cuts. Everything shown is measured while it happens.
import { parseArgs } from 'node:util';
import { delay } from '@hawser/seams';
import { ClusterSite } from '../cluster-site/cluster-site.ts';
import type { SiteEdge } from '../cluster-site/site-edge.ts';
import { demonstrate, type Demo } from './cluster-demo.ts';
import { Display } from './display.ts';

const HELP = `npm start [-- OPTIONS]   shows what there is of Hawser at work

A control plane, a hub and two edge nodes run on this machine, each a process of its own, with a line in between that
this program can cut. A node joins with a token, gets a Deployment's pods and what they need, is cut off, restarts
without a cloud and finds everything on its disk; another one is revoked; the hub is killed.
No container runs: the runtime is a stand-in.

  --once   end after the demonstration (default when not at a terminal)
  --keep   go on until Ctrl-C (default at a terminal)
  --help   this text
`;

async function openSite(display: Display): Promise<ClusterSite> {
  display.title('A control plane and a hub');
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

async function keepRunning({ site, display, signal }: Demo, edge: SiteEdge): Promise<void> {
  display.title('Running. Ctrl-C ends it. In another terminal:');
  for (const line of [
    `export KUBECONFIG=${site.kubeconfig}`,
    'kubectl get nodes,pods -o wide',
    'kubectl scale deployment line-reader --replicas 5',
    'kubectl edit configmap settings',
    `node cli/dist/src/main.js status --socket ${edge.socket}`,
    `node cli/dist/src/main.js objects --socket ${edge.socket}`,
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

/** Resolves when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { once: { type: 'boolean' }, keep: { type: 'boolean' }, help: { type: 'boolean' } },
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
  const site = await openSite(display);
  const demo = { site, display, signal };
  const work = async (): Promise<void> => {
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
    await site.close();
    await Promise.allSettled([working]);
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
