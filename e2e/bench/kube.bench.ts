// The embedded control plane as its clients meet it: over TLS, in a process of its own, with a database on disk.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runBench } from '../src/index.ts';
import { startControlPlaneProcess } from './kube/control-plane-process.ts';
import { measureLists } from './kube/lists.ts';
import { writeCluster } from './kube/objects.ts';
import { measureStarts } from './kube/starts.ts';
import { measureWatchers } from './kube/watchers.ts';
import { measureRestWrites, measureStoreWrites } from './kube/writes.ts';

const WATCHERS = 1000;
const PODS = 5000;

await runBench('kube', async (bench) => {
  const dir = await mkdtemp(path.join(tmpdir(), 'hawser-bench-'));
  bench.onEnd(() => rm(dir, { recursive: true, force: true }));
  const folder = async (name: string): Promise<string> => {
    const made = path.join(dir, name);
    await mkdir(made);
    return made;
  };

  bench.say('writing to a store …');
  await measureStoreWrites(bench, await folder('store'));

  const cluster = await folder('cluster');
  bench.say(`starting a control plane with ${PODS} pods …`);
  await writeCluster(cluster, PODS);
  await measureStarts(bench, cluster, PODS);
  const full = await startControlPlaneProcess(bench, { dataDir: cluster });
  await measureLists(bench, full, PODS);
  await full.stop();

  const empty = await startControlPlaneProcess(bench, { dataDir: await folder('empty') });
  await measureWatchers(bench, empty, WATCHERS);
  await empty.stop();

  const writing = await startControlPlaneProcess(bench, { dataDir: await folder('writing') });
  bench.say('writing through the API …');
  await measureRestWrites(bench, writing);
  await writing.stop();
});
