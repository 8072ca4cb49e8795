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
import { openPoolCloud, SERVICES, setSharing, type Sharing } from './pool-cloud.ts';

const SIZES = [1, 10, 50, 100] as const;
/** Services that are updated, all of them together: each has its next write when all have had theirs. */
const UPDATED = 100;
const WRITE_EVERY_MS = 20;
/** Starts are counted for so long, or until all are ready: what sessions take by themselves takes time. */
const START_MS = 20_000;
/** What is on its way when all is written gets there by then. */
const SETTLE_MS = 3_000;
/** A hundred members, each for itself, in one process. */
const ARRIVAL_LIMIT_MS = 5 * 60_000;
const KIB = 1024;

/** Bytes that a fleet has taken. */
interface Counted {
  /** From the start of all members at once, their disks empty, to the last one that has everything. */
  readonly start: number;
  /** While the Services are updated. */
  readonly update: number;
}

interface Parts {
  readonly site: ClusterSite;
  readonly pair: NetnsPair;
  readonly fleet: PoolFleet;
}

/**
 * Bytes between cloud and edges at IP level, for pools of several sizes, against the same nodes with a stream each. What
 * nodes take by themselves (handshakes, registration, heartbeats) is measured with the same ones in no pool, over the
 * same time, and taken off.
 */
export async function measurePoolBytes(bench: Bench): Promise<void> {
  const pair = await createNetnsPair();
  bench.onEnd(() => pair.close());
  const site = await openPoolCloud(bench, SERVICES, { netns: pair });
  const led = new Map<number, Counted>();
  const alone = new Map<number, Counted>();
  for (const size of SIZES) {
    const fleet = await PoolFleet.joined(site, {
      members: size,
      startNode: (options) => pair.edge.startNode(options),
    });
    bench.onEnd(() => fleet.close());
    const parts: Parts = { site, pair, fleet };
    bench.say(`${size} members, in no pool …`);
    await register(parts);
    const own = await count(parts, 'none');
    for (const [sharing, counted] of [
      ['led', led],
      ['alone', alone],
    ] as const) {
      bench.say(`${size} members, ${sharing === 'led' ? 'with a leader' : 'each for itself'} …`);
      const { start, update } = await count(parts, sharing);
      counted.set(size, { start: start - own.start, update: update - own.update });
      tell(bench, size, sharing, counted.get(size));
    }
    await fleet.close();
    await site.objects.remove(RESOURCES.nodes, fleet.nodes);
  }
  const of = (counted: Counted | undefined): number => (counted?.start ?? 0) + (counted?.update ?? 0);
  const ratio = of(led.get(100)) / of(led.get(1));
  const note = `start and rolling update of ${UPDATED} of ${SERVICES} services; what nodes take by themselves taken off`;
  bench.figure({ figure: 'cloud_bytes_100_over_1', value: ratio, unit: 'ratio', n: 1, note });
  const saved = of(alone.get(100)) / of(led.get(100));
  bench.figure({ figure: 'cloud_bytes_100_alone_over_pool', value: saved, unit: 'ratio', n: 1 });
}

/** Lets the nodes make what is made once: their Nodes, and where they are on the LAN. */
async function register({ site, fleet }: Parts): Promise<void> {
  await setSharing(site, 'led');
  await fleet.start();
  await untilReady(fleet, 'led');
  await fleet.stop();
}

async function count({ site, pair, fleet }: Parts, sharing: Sharing): Promise<Counted> {
  const bytesOf = async (work: () => Promise<unknown>): Promise<number> => {
    const { sent, received } = await pair.edge.countBytes(async () => {
      await work();
    });
    return sent.bytes + received.bytes;
  };
  await setSharing(site, sharing);
  await fleet.forget();
  const start = await bytesOf(async () => {
    await Promise.all([fleet.start().then(() => untilReady(fleet, sharing)), delay(START_MS)]);
  });
  const update = await bytesOf(async () => {
    await updateServices(site);
    await untilReady(fleet, sharing);
    await untilEqual(fleet);
    await delay(SETTLE_MS);
  });
  await fleet.stop();
  return { start, update };
}

function untilReady(fleet: PoolFleet, sharing: Sharing): Promise<unknown> {
  const { members } = fleet;
  if (sharing === 'led') return fleet.untilLed();
  if (sharing === 'none') return fleet.until(({ connected }) => connected === members);
  return fleet.until(({ synced, direct }) => synced === members && direct === members);
}

/** What was written last has arrived. Before that versions may differ for long: nobody is told that nothing has changed. */
function untilEqual(fleet: PoolFleet): Promise<unknown> {
  return fleet.until(({ versions }) => versions.length <= 1, ARRIVAL_LIMIT_MS);
}

/** At a pace of its own, however fast the hub is: what is written while the write before is on its way does not travel. */
async function updateServices(site: ClusterSite): Promise<void> {
  const updates = Array.from({ length: UPDATED }, (_, index) => [...rollingUpdate(index)]);
  const writes = updates[0]?.flatMap((_, step) => updates.flatMap((update) => update[step] ?? [])) ?? [];
  const startedMs = performance.now();
  for (const [index, slice] of writes.entries()) {
    await putSlice(site.client, slice);
    await delay(Math.max(0, startedMs + index * WRITE_EVERY_MS - performance.now()));
  }
}

function tell(bench: Bench, size: number, sharing: Sharing, counted: Counted | undefined): void {
  if (counted === undefined) return;
  const name = sharing === 'led' ? 'pool' : 'alone';
  const { start, update } = counted;
  bench.figure({ figure: `start_${name}_${size}_kib`, value: start / KIB, unit: 'KiB', n: 1 });
  bench.figure({ figure: `update_${name}_${size}_kib`, value: update / KIB, unit: 'KiB', n: 1 });
}
