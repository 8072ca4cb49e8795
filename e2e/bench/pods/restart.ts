import { existsSync } from 'node:fs';
import path from 'node:path';
import { CriRuntime } from '@hawser/edgecore/runtime';
import { delay, silentLogger } from '@hawser/seams';
import { median, type Bench } from '../../src/index.ts';
import { shellPod, type PodsSite } from '../../src/pods-site/pods-site.ts';
import { SLEEP } from './bare-cri.ts';
import { removeAll } from './start.ts';
import type { WatchedPods } from './watched-pods.ts';

const PODS = 9;
const LOOK_EVERY_MS = 2;
const DEADLINE_MS = 20_000;

/** A container is killed: until the next one runs. */
export async function measureRestart(bench: Bench, site: PodsSite, watched: WatchedPods): Promise<void> {
  bench.say('killing containers …');
  const runtime = new CriRuntime({ endpoint: site.containerd.endpoint, log: silentLogger });
  bench.onEnd(() => runtime.stop());
  await runtime.start();
  const elapsed: number[] = [];
  for (let index = 0; index < PODS; index++) {
    const name = `restart-${index}`;
    await site.create(shellPod(name, SLEEP));
    const { metadata, status } = await watched.untilRuns(name);
    const id = status?.containerStatuses?.[0]?.containerID?.replace(/^[a-z]+:\/\//, '') ?? '';
    const pid = await pidOf(site, id);
    const logs = path.join(site.containerd.dir, 'logs', `default_${name}_${metadata.uid ?? ''}`);
    const nextLog = path.join(logs, 'main', '1.log');
    await delay(300); // what belongs to its start is done
    const startedMs = performance.now();
    process.kill(pid, 'SIGKILL');
    await untilRuns(runtime, metadata.uid ?? '', nextLog);
    elapsed.push(performance.now() - startedMs);
  }
  await runtime.stop();
  const note = 'from the signal on; creating and starting the next container is in it';
  bench.figure({ figure: 'restart_after_death_ms', value: median(elapsed), unit: 'ms', n: PODS, note });
  await removeAll(site);
}

/**
 * Waits until the second attempt runs. The runtime is asked once its log is there, so that its events are heard, and
 * then when it has started: questions every few milliseconds would keep it from that. @throws Error where it never does
 */
async function untilRuns(runtime: CriRuntime, uid: string, logPath: string): Promise<void> {
  const lateMs = performance.now() + DEADLINE_MS;
  const until = async (everyMs: number, is: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await is())) {
      if (performance.now() > lateMs) throw new Error(`${uid} is not restarted`);
      await delay(everyMs);
    }
  };
  const runs = async (): Promise<boolean> => {
    const pod = await runtime.get(uid);
    return pod?.containers.some(({ attempt, state }) => attempt === 1 && state === 'running') === true;
  };
  await until(LOOK_EVERY_MS, () => existsSync(logPath));
  let hasStarted = false;
  const unlisten = runtime.listen((about) => (hasStarted ||= about === uid));
  hasStarted = (await runs()) || hasStarted;
  await until(LOOK_EVERY_MS, () => hasStarted);
  unlisten();
  await until(LOOK_EVERY_MS, runs);
}

/** The process of a container, as containerd has it. */
async function pidOf(site: PodsSite, id: string): Promise<number> {
  const table = await site.containerd.ctr(['tasks', 'ls']);
  const line = table.split('\n').find((each) => each.startsWith(id));
  const pid = Number(line?.trim().split(/\s+/)[1]);
  if (!(pid > 1)) throw new Error(`no task ${id}`);
  return pid;
}
