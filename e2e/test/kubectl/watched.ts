import { delay } from '@hawser/seams';
import { processUsage } from '../../src/processes/process-usage.ts';
import type { KubectlSite } from './kubectl-site.ts';

/** What became of hub, edge and session while something was done. */
export interface Watched {
  /** Most that the resident memory of hub and edge grew, MiB. */
  readonly hubMib: number;
  readonly edgeMib: number;
  /** How long it took. */
  readonly seconds: number;
  /** The longest round trip of a heartbeat, milliseconds. */
  readonly roundTripMs: number;
  /** Whether it was one session from the beginning to the end. */
  readonly isSameSession: boolean;
}

const LOOK_EVERY_MS = 200;
const MIB = 1024 * 1024;

/** Does something, and looks at the hub's and the edge's memory and the session all the while. */
export async function watched(kubectlSite: KubectlSite, work: () => Promise<void>): Promise<Watched> {
  const { site } = kubectlSite;
  const pids = { hub: site.cluster.hub().pid, edge: site.edge.process.pid };
  const look = async (): Promise<{ hub: number; edge: number; session: string; roundTripMs: number }> => {
    const [hub, edge, status] = await Promise.all([
      processUsage(pids.hub),
      processUsage(pids.edge),
      site.edge.admin.status(),
    ]);
    const { id = '', roundTripMs = 0 } = status.session.current ?? {};
    return { hub: hub.rssBytes / MIB, edge: edge.rssBytes / MIB, session: id, roundTripMs };
  };
  const first = await look();
  const seen = [first];
  const done = new AbortController();
  const fromMs = performance.now();
  const looking = (async () => {
    while (!done.signal.aborted) {
      seen.push(await look());
      await delay(LOOK_EVERY_MS);
    }
  })();
  try {
    await work();
  } finally {
    done.abort();
    await looking;
  }
  return {
    seconds: Math.round(performance.now() - fromMs) / 1000,
    hubMib: Math.round(Math.max(...seen.map(({ hub }) => hub)) - first.hub),
    edgeMib: Math.round(Math.max(...seen.map(({ edge }) => edge)) - first.edge),
    roundTripMs: Math.round(Math.max(...seen.map(({ roundTripMs }) => roundTripMs))),
    isSameSession: seen.every(({ session }) => session === first.session),
  };
}
