import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { KubeObject } from '@hawser/kube';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { containerOf, endOf, pairs, type FeatureSite } from './feature-site.ts';
import { shell, STAYS } from './shell.ts';

/** What a container sees of its own cgroup, of either version. */
const FACTS = `at=/sys/fs/cgroup
  if [ -e $at/memory.max ]; then
    echo memory=$(cat $at/memory.max); echo quota=$(cut -d' ' -f1 $at/cpu.max); echo weight=$(cat $at/cpu.weight)
  else
    echo memory=$(cat $at/memory/memory.limit_in_bytes)
    echo quota=$(cat $at/cpu/cpu.cfs_quota_us); echo shares=$(cat $at/cpu/cpu.shares)
  fi
  echo score=$(cat /proc/self/oom_score_adj)`;
const MIB = 1024 * 1024;
/** How cgroups of version 1 say that there is no limit. */
const UNLIMITED = '9223372036854771712';

/** Requests, limits, quality of service, and what happens without memory. */
export function describeResources(site: () => FeatureSite): void {
  describe('resources', () => {
    before(() =>
      site().create(
        resourcePod('guaranteed', {
          limits: { cpu: '250m', memory: '64Mi' },
          requests: { cpu: '250m', memory: '64Mi' },
        }),
        resourcePod('burstable', { requests: { cpu: '100m', memory: '16Mi' }, limits: { memory: '48Mi' } }),
        resourcePod('best-effort', {}),
        shellPod('hog', 'memory-hog 256', {
          spec: { restartPolicy: 'Never' },
          container: { resources: { limits: { memory: '24Mi' } } },
        }),
        shellPod('hog-pod', '', {
          spec: {
            restartPolicy: 'Never',
            containers: [
              shell('main', 'memory-hog 256', { resources: { limits: { memory: '24Mi' } } }),
              shell('other', 'sleep 1; echo lives', { resources: { limits: { memory: '24Mi' } } }),
            ],
          },
        }),
      ),
    );
    after(() => site().forget('guaranteed', 'burstable', 'best-effort', 'hog', 'hog-pod'));

    const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
    /** Source: runc, ConvertCPUSharesToCgroupV2Value. */
    const share = (shares: number): object =>
      isV2 ? { weight: String(1 + Math.floor(((shares - 2) * 9999) / 262_142)) } : { shares: String(shares) };
    const unlimited = isV2 ? 'max' : UNLIMITED;
    const noQuota = isV2 ? 'max' : '-1';

    async function facts(pod: string): Promise<Readonly<Record<string, string>>> {
      const { score, ...rest } = pairs(await site().saidBy(pod));
      assert.ok(score !== undefined);
      return rest;
    }

    it('limits containers of each quality of service', async () => {
      assert.deepEqual(await facts('guaranteed'), {
        ...{ memory: String(64 * MIB), quota: '25000' },
        ...share(256),
      });
      assert.deepEqual(await facts('burstable'), { memory: String(48 * MIB), quota: noQuota, ...share(102) });
      assert.deepEqual(await facts('best-effort'), { memory: unlimited, quota: noQuota, ...share(2) });
    });

    it('says which quality of service a pod has', async () => {
      const classes = await Promise.all(
        ['guaranteed', 'burstable', 'best-effort'].map(
          async (name) => (await site().pod(name)).status?.qosClass,
        ),
      );
      assert.deepEqual(classes, ['Guaranteed', 'Burstable', 'BestEffort']);
    });

    it('lets the kernel end best effort first', async () => {
      const score = async (name: string): Promise<number> => Number(pairs(await site().log(name))['score']);
      assert.equal(await score('best-effort'), 1000);
      // Of what is less than that of the tests a runtime without the right to it keeps its own.
      assert.ok((await score('burstable')) < 1000);
      assert.ok((await score('guaranteed')) <= (await score('burstable')));
    });

    it('holds the whole pod to the sum of its limits, below its quality of service', async () => {
      await site().create(
        shellPod('limited', STAYS, {
          container: { resources: { limits: { cpu: '300m', memory: '32Mi' } } },
        }),
      );
      const { metadata } = await site().untilReady('limited');
      const group = `${site().pods.containerd.cgroupRoot}/kubepods/pod${metadata.uid ?? ''}`;
      const file = isV2
        ? path.join('/sys/fs/cgroup', group, 'memory.max')
        : path.join('/sys/fs/cgroup/memory', group, 'memory.limit_in_bytes');
      assert.equal(await readFile(file, 'utf8'), `${32 * MIB}\n`);
      await site().remove('limited');
      assert.ok(!existsSync(path.dirname(file)), 'its cgroup is still there');
    });

    it('says that a container has run out of memory, and spares the others', async () => {
      for (const name of ['hog', 'hog-pod']) {
        const end = endOf(containerOf(await site().untilPhase(name, 'Failed')));
        assert.deepEqual([end?.['reason'], end?.['exitCode']], ['OOMKilled', 137], name);
      }
      assert.equal(await site().log('hog-pod', 'other'), 'lives\n');
    });
  });
}

function resourcePod(name: string, resources: object): KubeObject {
  return shellPod(name, FACTS, { spec: { restartPolicy: 'Never' }, container: { resources } });
}
