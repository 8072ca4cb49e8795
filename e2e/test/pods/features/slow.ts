import assert from 'node:assert/strict';
import { scaled } from '@hawser/seams/testing';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { containerOf, type FeatureSite } from './feature-site.ts';

/** The first restart comes at once, then they wait 10 s, 20 s, 40 s. */
const WAITS = [0, 10, 20, 40].slice(0, scaled(2, 4));
/** How late a start may be, seconds: the machine is busy, and a start takes its time. */
const LATE_SECONDS = 8;

/** Begins what takes its time: before everything else, to be looked at last. */
export async function beginSlow(site: FeatureSite): Promise<void> {
  const host = { name: 'host', hostPath: { path: `${site.hostDir}/slow`, type: 'DirectoryOrCreate' } };
  await site.create(
    shellPod('crashes', 'date +%s >>/host/starts; exit 7', {
      spec: { volumes: [host] },
      container: { volumeMounts: [{ name: 'host', mountPath: '/host' }] },
    }),
    shellPod('too-large', 'dd if=/dev/zero of=/data/file bs=1k count=2048; exec sleep 1000', {
      spec: { volumes: [{ name: 'data', emptyDir: { sizeLimit: '1Mi' } }] },
      container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
    }),
  );
}

/** Back-off of restarts, and limits that are measured now and then. */
export function describeSlow(site: () => FeatureSite): void {
  describe('what takes its time', () => {
    it('waits longer before each restart of what crashes', async () => {
      await site().until(
        'crashes',
        (one) => (containerOf(one)?.restartCount ?? 0) >= WAITS.length,
        scaled(60_000, 120_000),
      );
      const starts = (await site().hostFile('slow/starts')).trim().split('\n').map(Number);
      const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
      WAITS.forEach((wait, index) => {
        const gap = gaps[index] ?? Number.NaN;
        assert.ok(gap >= wait - 1 && gap <= wait + LATE_SECONDS, `waited ${gaps.join(', ')} s`);
      });
      const pod = await site().until(
        'crashes',
        (one) => containerOf(one)?.state?.['waiting']?.['reason'] === 'CrashLoopBackOff',
      );
      const { uid = '' } = pod.metadata;
      assert.match(
        String(containerOf(pod)?.state?.['waiting']?.['message']),
        new RegExp(`^back-off \\S+ restarting failed container=main pod=crashes_default\\(${uid}\\)$`),
      );
      await site().untilEvent(
        'crashes',
        ({ reason, message }) =>
          reason === 'BackOff' &&
          message === `Back-off restarting failed container main in pod crashes_default(${uid})`,
      );
    });

    it('evicts a pod whose volume is larger than its limit', async () => {
      const { status } = await site().untilPhase('too-large', 'Failed', scaled(90_000, 120_000));
      const message = 'Usage of EmptyDir volume "data" exceeds the limit "1Mi". ';
      assert.deepEqual([status?.reason, status?.message], ['Evicted', message]);
      await site().untilEvent(
        'too-large',
        (event) => event.reason === 'Evicted' && event.message === message,
      );
    });
  });
}
