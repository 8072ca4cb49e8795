import { RESOURCES } from '@hawser/kube';
import { delay } from '@hawser/seams';
import {
  createNetnsPair,
  PoolFleet,
  putSlice,
  rollingUpdate,
  type Bench,
  type NetnsPair,
} from '../../src/index.ts';
import type { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import { openPoolCloud, SERVICES, setElection } from './pool-cloud.ts';

const SIZES = [1, 10, 50, 100] as const;
/** Services that are updated. */
const UPDATED = 100;
/** Sessions are looked at without anything to do for so long. */
const IDLE_MS = 30_000;
const KIB = 1024;

interface Counted {
  /** From the start of all members at once to the last one that has everything. */
  readonly start: number;
  /** While the Services are updated, without what the same sessions take when nothing happens. */
  readonly update: number;
}

/**
 * Bytes between cloud and edges at IP level, for pools of several sizes, against the same nodes with a stream each. What
 * sessions take by themselves (handshakes, heartbeats) is measured and taken off: nodes have them with a pool or without.
 */
export async function measurePoolBytes(bench: Bench): Promise<void> {
  const pair = await createNetnsPair();
  bench.onEnd(() => pair.close());
  const site = await openPoolCloud(bench, SERVICES, { netns: pair });
  const pooled = new Map<number, Counted>();
  const alone = new Map<number, Counted>();
  for (const size of SIZES) {
    const fleet = await PoolFleet.joined(site, {
      members: size,
      startNode: (options) => pair.edge.startNode(options),
    });
    bench.onEnd(() => fleet.close());
    await setElection(site, true);
    pooled.set(size, await count(bench, { site, pair, fleet, led: true }));
    await setElection(site, false);
    alone.set(size, await count(bench, { site, pair, fleet, led: false }));
    await fleet.close();
    await site.objects.remove(RESOURCES.nodes, fleet.nodes);
    tell(bench, size, pooled.get(size), alone.get(size));
  }
  const of = (counted: Counted | undefined): number => (counted?.start ?? 0) + (counted?.update ?? 0);
  const ratio = of(pooled.get(100)) / of(pooled.get(1));
  const note = `start and rolling update of ${UPDATED} of ${SERVICES} services; sessions' own bytes taken off`;
  bench.figure({ figure: 'cloud_bytes_100_over_1', value: ratio, unit: 'ratio', n: 1, note });
  const saved = of(alone.get(100)) / of(pooled.get(100));
  bench.figure({ figure: 'cloud_bytes_100_alone_over_pool', value: saved, unit: 'ratio', n: 1 });
}

/** Members of whom each has a session and nothing to read: what they take is not the pool's. */
async function count(
  bench: Bench,
  parts: { site: ClusterSite; pair: NetnsPair; fleet: PoolFleet; led: boolean },
): Promise<Counted> {
  const { site, pair, fleet, led } = parts;
  const { members } = fleet;
  bench.say(`${members} members, ${led ? 'with a leader' : 'each for itself'} …`);
  const ready = (): Promise<unknown> =>
    led ? fleet.untilLed() : fleet.until(({ synced, direct }) => synced === members && direct === members);
  const bytesOf = async (work: () => Promise<unknown>): Promise<number> => {
    const { sent, received } = await pair.edge.countBytes(async () => {
      await work();
    });
    return sent.bytes + received.bytes;
  };
  const start = await bytesOf(async () => {
    await fleet.start();
    await ready();
  });
  await delay(3_000);
  const idle = await bytesOf(() => delay(IDLE_MS));
  const startedMs = performance.now();
  const update = await bytesOf(async () => {
    for (let index = 0; index < UPDATED; index++)
      for (const slice of rollingUpdate(index)) await putSlice(site.client, slice);
    await fleet.until(({ versions }) => versions.length === 1);
    await delay(3_000);
    await ready();
  });
  const idleShare = (idle / IDLE_MS) * (performance.now() - startedMs);
  await fleet.stop();
  // A start with all that is shared on the disk already: handshakes, the node's own objects, and digests.
  const again = await bytesOf(async () => {
    await fleet.start();
    await ready();
  });
  await fleet.stop();
  for (let index = 0; index < UPDATED; index++) {
    const [first] = rollingUpdate(index);
    if (first !== undefined) await putSlice(site.client, first);
  }
  return { start: Math.max(0, start - again), update: Math.max(0, update - idleShare) };
}

function tell(bench: Bench, size: number, pooled: Counted | undefined, alone: Counted | undefined): void {
  for (const [name, counted] of [
    ['pool', pooled],
    ['alone', alone],
  ] as const) {
    if (counted === undefined) continue;
    const { start, update } = counted;
    bench.figure({ figure: `start_${name}_${size}_kib`, value: start / KIB, unit: 'KiB', n: 1 });
    bench.figure({ figure: `update_${name}_${size}_kib`, value: update / KIB, unit: 'KiB', n: 1 });
  }
}
