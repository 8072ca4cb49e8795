import { CriRuntime } from '@hawser/edgecore/runtime';
import { delay, silentLogger } from '@hawser/seams';
import { median, type Bench } from '../../src/index.ts';
import { shellPod, type PodsSite } from '../../src/pods-site/pods-site.ts';
import { SLEEP } from './bare-cri.ts';
import { removeAll } from './start.ts';

const PODS = 9;
const LOOK_EVERY_MS = 3;
const DEADLINE_MS = 20_000;

/** A container is killed: until the next one runs. */
export async function measureRestart(bench: Bench, site: PodsSite): Promise<void> {
  bench.say('killing containers …');
  const runtime = new CriRuntime({ endpoint: site.containerd.endpoint, log: silentLogger });
  const elapsed: number[] = [];
  for (let index = 0; index < PODS; index++) {
    const name = `restart-${index}`;
    await site.create(shellPod(name, SLEEP));
    const { metadata, status } = await site.untilPhase(name, 'Running');
    const id = status?.containerStatuses?.[0]?.containerID?.replace(/^[a-z]+:\/\//, '') ?? '';
    await delay(300); // what belongs to its start is done
    const startedMs = performance.now();
    await site.containerd.ctr(['tasks', 'kill', '--signal', 'SIGKILL', id]);
    for (;;) {
      const pod = await runtime.get(metadata.uid ?? '');
      if (pod?.containers.some(({ attempt, state }) => attempt === 1 && state === 'running') === true) break;
      if (performance.now() - startedMs > DEADLINE_MS) throw new Error(`${name} is not restarted`);
      await delay(LOOK_EVERY_MS);
    }
    elapsed.push(performance.now() - startedMs);
  }
  await runtime.stop();
  const note = 'from the call of ctr on, whose own start is in it; creating and starting the container too';
  bench.figure({ figure: 'restart_after_death_ms', value: median(elapsed), unit: 'ms', n: PODS, note });
  await removeAll(site);
}
