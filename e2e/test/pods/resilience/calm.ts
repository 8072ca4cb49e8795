import assert from 'node:assert/strict';
import path from 'node:path';
import { delay } from '@hawser/seams';
import { soaking } from '@hawser/seams/testing';
import type { SeenPod } from '../../../src/pods-site/pods-site.ts';
import { mixedPods, namesOf, volumeSources } from './kinds.ts';
import { conditionOf, statusIn, type ResilienceSite } from './resilience-site.ts';

/** Time for what has just started to want something else, if it did: probes are made every second. */
const AFTER_START_MS = 1200;

/** Whatever is restarted beside them, containers stay, and nobody says anything else of them. */
export function describeCalm(open: () => ResilienceSite): void {
  describe('while nothing happens to them', () => {
    it('run on, and are said to, over restarts of the edge core and of containerd', async () => {
      const site = open();
      const { containerd, edge } = site.pods;
      await site.create(...volumeSources('calm'));
      const { ready, others } = mixedPods('calm', path.join(containerd.dir, 'calm'));
      const names = namesOf([...ready, ...others]);
      await site.create(...ready, ...others);
      await site.untilReady(namesOf(ready));
      await site.until(['calm-done'], ({ status }) => status?.phase === 'Succeeded');
      await site.until(['calm-failed'], ({ status }) => status?.phase === 'Failed');
      const before = await site.until(['calm-unready'], ({ status }) => status?.phase === 'Running');
      const ids = await site.running();
      const moment = site.watch.now;
      const restarts: Readonly<Record<string, () => Promise<void>>> = {
        'a restart of the edge core': () => site.restartEdge('stop'),
        'a kill of the edge core': () => site.restartEdge('kill'),
        'a kill of containerd': async () => {
          await containerd.kill();
          await delay(AFTER_START_MS);
          await containerd.start();
        },
        ...(soaking && {
          'a kill of both': async () => {
            await containerd.kill();
            await edge.kill();
            await edge.start();
            await containerd.start();
          },
        }),
      };
      for (const [what, restart] of Object.entries(restarts)) {
        await restart();
        await delay(AFTER_START_MS);
        assert.deepEqual(await site.running(), ids, `other containers after ${what}`);
      }
      await edge.until(({ outbox }) => outbox.waiting === 0);
      for (const name of names) {
        const was = before.get(name);
        assert.ok(was !== undefined);
        for (const state of [...site.watch.since(moment, name), await site.pod(name)])
          assert.deepEqual(toldOf(state), toldOf(was), `${name} was said to be otherwise meanwhile`);
      }
      await endUnseen(site, ids);
      await site.clear();
    });
  });
}

/** What ends while nobody can look is seen as soon as somebody can, and started again. */
async function endUnseen(site: ResilienceSite, ids: ReadonlyMap<string, string>): Promise<void> {
  const { containerd } = site.pods;
  const tasks = (await containerd.ctr(['tasks', 'list'])).split('\n').map((line) => line.split(/\s+/));
  const pid = Number(tasks.find(([id]) => id === ids.get('calm-plain/main'))?.[1]);
  assert.ok(pid > 1);
  await containerd.kill();
  process.kill(pid, 'SIGKILL');
  await containerd.start();
  const isBack = (pod: SeenPod): boolean => statusIn(pod).restartCount === 1 && statusIn(pod).ready;
  const seen = await site.until(['calm-plain'], isBack);
  assert.equal(statusIn(seen.get('calm-plain')).lastState?.['terminated']?.['exitCode'], 137);
  const rest = (all: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
    new Map([...all].filter(([key]) => key !== 'calm-plain/main'));
  assert.deepEqual(rest(await site.running()), rest(ids));
}

/** What of a pod's status may not change while nothing happens to it. */
function toldOf(pod: SeenPod): unknown {
  const { status } = pod;
  return {
    phase: status?.phase,
    ready: conditionOf(pod, 'Ready'),
    containersReady: conditionOf(pod, 'ContainersReady'),
    initialized: conditionOf(pod, 'Initialized'),
    podIP: status?.podIP,
    containers: status?.containerStatuses,
    initContainers: status?.initContainerStatuses,
  };
}
