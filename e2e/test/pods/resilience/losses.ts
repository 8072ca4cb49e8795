import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { delay, randomBelow, type Random } from '@hawser/seams';
import { eventually, scaled } from '@hawser/seams/testing';
import { RESOURCES, type KubeObject } from '@hawser/kube';
import { unmountBelow } from '../../../src/cluster-site/unmount-below.ts';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { shell, STAYS, volumeKinds, volumeSources } from './kinds.ts';
import { FORGOTTEN_BY_CONTAINERD, SOON_MS, statusIn, type ResilienceSite } from './resilience-site.ts';

const ROUNDS = scaled(1, 15);
const TOGETHER = 6;
/** Time for a hub that has been found again to want something else, if it did. */
const AFTER_HEALING_MS = 1000;
/** What it removes when it is started the next time. */
const UNTIL_NEXT_START = /^work of a bundle /;

/** containerd, or the whole machine, goes away and comes back. */
export function describeLosses(open: () => ResilienceSite, random: Random): void {
  describe('when containerd is killed', () => {
    it('starts what it was starting', async () => {
      const site = open();
      const { containerd } = site.pods;
      for (let round = 0; round < ROUNDS; round++) {
        const names = Array.from({ length: TOGETHER }, (_, index) => `started-${round}-${index}`);
        const before = site.running();
        await site.create(
          ...names.map((name) =>
            shellPod(name, STAYS, { spec: { initContainers: [shell('first', 'true')] } }),
          ),
        );
        for (let kills = 0; kills < 2; kills++) {
          await delay(randomBelow(random, 1200));
          await containerd.kill();
          await containerd.start();
        }
        await site.untilReady(names);
        await eventually(
          'each container runs once',
          async () => (await site.running()).size === names.length,
          { deadlineMs: SOON_MS },
        );
        assert.equal((await before).size, 0);
        await site.clear(FORGOTTEN_BY_CONTAINERD);
      }
    });
  });

  describe('when the power is cut, and nobody in the cloud can be asked', () => {
    for (const wipe of [false, true])
      it(`starts every pod from its disk${wipe ? ', though the runtime has lost everything' : ''}`, async () => {
        const site = open();
        const { containerd, edge, cluster } = site.pods;
        const name = wipe ? 'wiped' : 'dark';
        const hostDir = path.join(containerd.dir, name);
        await site.create(...volumeSources(name), ...podsOf(name, hostDir));
        const others = [`${name}-stays`, `${name}-goes`];
        await site.create(...others.map((each) => shellPod(each, STAYS)));
        const names = [`${name}-all`, `${name}-crashed`, ...others];
        await site.untilReady(names);
        await site.until([`${name}-crashed`], (pod) => statusIn(pod).restartCount === 1);
        await site.create(
          shellPod(`${name}-done`, `echo done >>/h/done`, {
            spec: { restartPolicy: 'Never', volumes: [{ name: 'h', hostPath: { path: hostDir } }] },
            container: { volumeMounts: [{ name: 'h', mountPath: '/h' }] },
          }),
        );
        await site.until([`${name}-done`], ({ status }) => status?.phase === 'Succeeded');
        await edge.until(({ outbox }) => outbox.waiting === 0);

        await cluster.link.cut();
        await cluster.objects.remove(RESOURCES.pods, [`${name}-goes`]);
        await edge.kill();
        await containerd.powerCut({ wipe });
        await unmountBelow(edge.dataDir);
        // The one or the other may be up first.
        if (wipe) await containerd.start();
        await edge.start();
        await containerd.start();

        const wanted = names.map((each) => `${each}/main`).sort();
        await eventually(
          'all of them run',
          async () => [...(await site.running()).keys()].sort().join() === wanted.join(),
          { deadlineMs: SOON_MS, intervalMs: 50 },
        );
        const said = async (file: string): Promise<string> => readFile(path.join(hostDir, file), 'utf8');
        assert.equal(await said('done'), 'done\n', 'what was done was done again');
        await eventually(
          'the container of all volumes has looked',
          async () => (await said('seen')).trim().split('\n').length === 2,
          { deadlineMs: SOON_MS },
        );
        const [first, second] = (await said('seen')).trim().split('\n');
        assert.equal(second, first, 'other files than before');
        assert.match(
          first ?? '',
          new RegExp(`^configured configured hidden ${name}-all \\S+\\.\\S+\\.\\S+$`),
        );
        assert.equal(await said('initialized'), 'again\nagain\n', 'init containers run again');
        assert.equal((await edge.admin.status()).session.state === 'up', false);

        const ids = await site.running();
        await cluster.link.heal();
        await edge.untilInSync(SOON_MS);
        await site.untilGone([`${name}-goes`]);
        const staying = names.filter((each) => !each.endsWith('-goes'));
        const seen = await site.until(
          staying,
          (pod) =>
            statusIn(pod).ready &&
            statusIn(pod).restartCount === (pod.metadata.name?.endsWith('-crashed') === true ? 2 : 1),
        );
        for (const each of staying)
          assert.ok(
            statusIn(seen.get(each)).lastState?.['terminated'] !== undefined,
            `${each} does not say what was before`,
          );
        await delay(AFTER_HEALING_MS);
        const stayed = new Map([...ids].filter(([key]) => key !== `${name}-goes/main`));
        assert.deepEqual(await site.running(), stayed, 'something was rebuilt');
        const done = await site.pod(`${name}-done`);
        assert.deepEqual([done.status?.phase, statusIn(done).restartCount], ['Succeeded', 0]);
        await site.clear(UNTIL_NEXT_START);
      });
  });
}

/** One with a volume of each kind and init containers, one that has been restarted once. */
function podsOf(name: string, hostDir: string): readonly KubeObject[] {
  const { volumes, mounts } = volumeKinds(name, hostDir);
  const look =
    'echo $(cat /v/config/text) $(cat /v/one-file) $(cat /v/secret/key) $(cat /v/info/name) $(cat /v/token/token) >>/v/host/seen';
  return [
    shellPod(`${name}-all`, `${look}; ${STAYS}`, {
      spec: {
        volumes,
        initContainers: [shell('first', 'echo again >>/v/host/initialized', { volumeMounts: mounts })],
      },
      container: { volumeMounts: mounts },
    }),
    shellPod(`${name}-crashed`, `test -e /d/crashed || { touch /d/crashed; exit 7; }; ${STAYS}`, {
      spec: { volumes: [{ name: 'd', emptyDir: {} }] },
      container: { volumeMounts: [{ name: 'd', mountPath: '/d' }] },
    }),
  ];
}
