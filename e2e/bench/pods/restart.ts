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
    const pid = await pidOf(site, id);
    await delay(300); // what belongs to its start is done
    const startedMs = performance.now();
    process.kill(pid, 'SIGKILL');
    for (;;) {
      const pod = await runtime.get(metadata.uid ?? '');
      if (pod?.containers.some(({ attempt, state }) => attempt === 1 && state === 'running') === true) break;
      if (performance.now() - startedMs > DEADLINE_MS) throw new Error(`${name} is not restarted`);
      await delay(LOOK_EVERY_MS);
    }
    elapsed.push(performance.now() - startedMs);
  }
  await runtime.stop();
  const note = 'from the signal on; creating and starting the next container is in it';
  bench.figure({ figure: 'restart_after_death_ms', value: median(elapsed), unit: 'ms', n: PODS, note });
  await removeAll(site);
}

/** The process of a container, as containerd has it. */
async function pidOf(site: PodsSite, id: string): Promise<number> {
  const table = await site.containerd.ctr(['tasks', 'ls']);
  const line = table.split('\n').find((each) => each.startsWith(id));
  const pid = Number(line?.trim().split(/\s+/)[1]);
  if (!(pid > 1)) throw new Error(`no task ${id}`);
  return pid;
}
