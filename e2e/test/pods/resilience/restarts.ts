import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { delay, randomBelow, type Random } from '@hawser/seams';
import { eventually, scaled } from '@hawser/seams/testing';
import { RESOURCES } from '@hawser/kube';
import { shellPod, type SeenContainer } from '../../../src/pods-site/pods-site.ts';
import { shell, STAYS } from './kinds.ts';
import { FORGOTTEN_BY_CONTAINERD, SOON_MS, statusIn, type ResilienceSite } from './resilience-site.ts';

const ROUNDS = scaled(1, 20);
const TOGETHER = 10;

/** The edge core is restarted, in good order or not, and at the worst of moments. */
export function describeRestarts(open: () => ResilienceSite, random: Random): void {
  describe('when the edge core is restarted', () => {
    it('goes on where it was killed while it started pods, and while it ended them', async () => {
      const site = open();
      for (let round = 0; round < ROUNDS; round++) {
        const names = Array.from({ length: TOGETHER }, (_, index) => `begun-${round}-${index}`);
        await site.create(
          ...names.map((name) =>
            shellPod(name, STAYS, {
              spec: {
                initContainers: [shell('first', 'true')],
                volumes: [{ name: 'memory', emptyDir: { medium: 'Memory' } }],
              },
              container: { volumeMounts: [{ name: 'memory', mountPath: '/m' }] },
            }),
          ),
        );
        for (let kills = 0; kills < 2; kills++) {
          await delay(randomBelow(random, 1500));
          await site.pods.edge.kill();
          await site.pods.edge.start();
        }
        const seen = await site.untilReady(names);
        for (const name of names) {
          for (const container of ['first', 'main'])
            assertStartedOnce(name, statusIn(seen.get(name), container));
        }
        const inRuntime = await site.inRuntime();
        for (const { name, sandboxes, containers } of inRuntime.filter((pod) => names.includes(pod.name))) {
          const begun = containers.filter(({ exitCode }) => exitCode !== NEVER_STARTED);
          const made = begun.map((one) => `${one.name}: ${one.state}`).sort();
          assert.deepEqual(made, ['first: exited', 'main: running'], name);
          assert.equal(sandboxes.length, 1, `${name} has got another sandbox`);
        }
        await site.pods.cluster.objects.remove(RESOURCES.pods, names);
        for (let kills = 0; kills < 2; kills++) {
          await delay(randomBelow(random, 600));
          await site.pods.edge.kill();
          await site.pods.edge.start();
        }
        await site.untilGone(names);
        // A call whose caller was killed is given up by containerd, which may forget what it had begun.
        await site.clear(FORGOTTEN_BY_CONTAINERD);
      }
    });

    it('lets a container end in its own time though it is killed in the midst of that', async () => {
      const site = open();
      const dir = path.join(site.pods.containerd.dir, 'grace');
      const said = async (): Promise<string> => readFile(path.join(dir, 'said'), 'utf8').catch(() => '');
      await site.create(
        shellPod(
          'grace',
          `trap 'echo asked >>/h/said; sleep 3; echo ended >>/h/said; exit 0' TERM; echo up >>/h/said; while true; do sleep 0.1; done`,
          {
            spec: {
              terminationGracePeriodSeconds: 30,
              volumes: [{ name: 'h', hostPath: { path: dir, type: 'DirectoryOrCreate' } }],
            },
            container: { volumeMounts: [{ name: 'h', mountPath: '/h' }] },
          },
        ),
      );
      await eventually('it is up', async () => (await said()).includes('up'), { deadlineMs: SOON_MS });
      await site.pods.cluster.objects.remove(RESOURCES.pods, ['grace']);
      await eventually('it was asked to end', async () => (await said()).includes('asked'), {
        deadlineMs: SOON_MS,
      });
      await site.restartEdge('kill');
      await site.untilGone(['grace']);
      await site.untilNothingLeft();
      assert.match(await said(), /^up\n(asked\n)+ended\n$/, 'it was ended before it was done');
    });
  });
}

/** A start whose caller was killed is given up by containerd, and is no run. Source: containerd 1.6, errorStartExitCode. */
const NEVER_STARTED = 128;

function assertStartedOnce(pod: string, { name, restartCount, lastState }: SeenContainer): void {
  if (restartCount === 0) assert.deepEqual(lastState, {}, `${name} of ${pod} has not run before`);
  else
    assert.equal(lastState?.['terminated']?.['exitCode'], NEVER_STARTED, `${name} of ${pod} was restarted`);
}
