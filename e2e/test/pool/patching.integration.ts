import assert from 'node:assert/strict';
import { resourcePath, RESOURCES, type KubeObject } from '@hawser/kube';
import { delay, randomBelow, seededRandom, type Random } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import { ENDPOINTS, poolSlice, processUsage, type PoolSite } from '../../src/index.ts';
import { givenPool } from './given-pool.ts';
import { POOL_SERVICES } from './pool-fixture.ts';
import { PoolReader } from './pool-reader.ts';

const MEMBERS = 3;
const PATCHING_MS = scaled(20_000, 3_600_000);
/** Between two writes. */
const PACE_MS = 20;
/** Without any pause at first: so much work that each member has its code compiled, which it keeps (`EngineTuning`). */
const HURRY_MS = scaled(0, 120_000);
/** From then on memory may not grow: caches are full, and code is compiled. */
const WARM_MS = PATCHING_MS / 4;
const SAMPLE_MS = 1_000;
/** What collections that come when they come make of it. */
const MORE_BYTES = scaled(12, 8) * 1024 * 1024;
/** Slices that come and go, beside those that are there. */
const PASSING = 50;
const SLICES = 'endpointslices.discovery.k8s.io';

describe('a pool whose objects are patched at random', function () {
  this.timeout(PATCHING_MS + 300_000);
  let site: PoolSite;
  let random: Random;

  givenPool({ members: MEMBERS }, (opened) => {
    site = opened;
  });

  async function write(method: 'PUT' | 'POST' | 'DELETE', slice: KubeObject): Promise<void> {
    const { name = '' } = slice.metadata;
    const named = method === 'POST' ? {} : { name };
    const path = resourcePath(RESOURCES.endpointslices, { namespace: 'default', ...named });
    await site.cluster.client.request({ method, path, ...(method !== 'DELETE' && { body: slice }) });
  }

  function someSlice(index: number): KubeObject {
    const generations = Array.from({ length: ENDPOINTS }, () => randomBelow(random, 4));
    return poolSlice(index, generations, randomBelow(random, 2 * ENDPOINTS));
  }

  /** One write; those that come and go have numbers of their own. */
  async function patch(passing: Set<number>): Promise<void> {
    const { length: lasting } = POOL_SERVICES.slices;
    const number = lasting + randomBelow(random, PASSING);
    if (random.next() < 0.7) await write('PUT', someSlice(randomBelow(random, lasting)));
    else if (passing.delete(number)) await write('DELETE', poolSlice(number));
    else {
      passing.add(number);
      await write('POST', someSlice(number));
    }
  }

  it('takes no more memory, and shows each change once (P20)', async () => {
    const seed = Number(process.env['HAWSER_SEED'] ?? Date.now() % 1_000_000);
    console.log(`      HAWSER_SEED=${seed}`);
    random = seededRandom(seed);
    const leader = await site.untilLed();
    const readers = [
      await PoolReader.start(site, leader),
      await PoolReader.start(site, (leader + 1) % MEMBERS),
    ];
    const passing = new Set<number>();
    const peaks = site.members.map(() => ({ early: 0, late: 0 }));
    const startedMs = performance.now();
    let sampledMs = startedMs;
    for (let nowMs = startedMs; nowMs - startedMs < PATCHING_MS; nowMs = performance.now()) {
      await patch(passing);
      if (nowMs - startedMs >= HURRY_MS) await delay(PACE_MS);
      if (nowMs - sampledMs < SAMPLE_MS) continue;
      sampledMs = nowMs;
      const when = nowMs - startedMs < 2 * WARM_MS ? 'early' : 'late';
      if (nowMs - startedMs < WARM_MS) continue;
      for (const [index, peak] of peaks.entries()) {
        const { rssBytes } = await processUsage(site.member(index).process.pid);
        peak[when] = Math.max(peak[when], rssBytes);
      }
    }
    for (const [index, { early, late }] of peaks.entries())
      assert.ok(late <= early + MORE_BYTES, `member ${index}: ${early} bytes, later ${late}`);
    const objects = POOL_SERVICES.slices.length + passing.size;
    await site.until(
      site.members.map((_, index) => index),
      (all) =>
        all.every(({ resources }) => resources.find(({ name }) => name === SLICES)?.objects === objects),
    );
    for (const reader of readers) {
      assert.equal(reader.lists, 1, 'it had to list again');
      assert.deepEqual(reader.errors, []);
      for (const { metadata } of POOL_SERVICES.slices) {
        const versions = reader.updates(metadata.name ?? '').map(Number);
        assert.ok(versions.length > 0 && versions.every((version, at) => version > (versions[at - 1] ?? 0)));
      }
      await reader.stop();
    }
  });
});
