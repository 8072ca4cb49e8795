// Pods in a real containerd, from the API to the process: what the edge adds to what the runtime needs.
// `npm run bench -- pods [part …]` with parts of: start many restart idle. Default: all.
import { ContainerdSite } from '@hawser/edgecore/testing';
import { runBench, type Bench } from '../src/index.ts';
import { PodsSite } from '../src/pods-site/pods-site.ts';
import { measureIdle } from './pods/idle.ts';
import { measureMany } from './pods/many.ts';
import { measureRestart } from './pods/restart.ts';
import { measureStart } from './pods/start.ts';
import { WatchedPods } from './pods/watched-pods.ts';

const LIMIT_MS = 10 * 60_000;

type Part = (bench: Bench, site: PodsSite, watched: WatchedPods) => Promise<void>;

const PARTS: Readonly<Record<string, Part>> = {
  start: measureStart,
  many: measureMany,
  restart: measureRestart,
  idle: measureIdle,
};

await runBench(
  'pods',
  async (bench) => {
    const wanted = process.argv.slice(2);
    const unknown = wanted.filter((name) => PARTS[name] === undefined);
    if (unknown.length > 0)
      throw new Error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
    const available = await ContainerdSite.availability();
    if (!available.ok) {
      bench.say(`left out: pods cannot be run here: ${available.reason}`);
      return;
    }
    bench.say('starting a control plane, a hub, an edge and a containerd …');
    const site = await PodsSite.open({
      hub: { heartbeatSeconds: 10, logLevel: 'error' },
      controlPlane: { controllers: false },
      edge: { node: { maxPods: 250 } },
    });
    bench.onEnd(() => site.close());
    const watched = await WatchedPods.open(site);
    bench.onEnd(() => watched.close());
    for (const [name, measure] of Object.entries(PARTS)) {
      if (wanted.length === 0 || wanted.includes(name)) await measure(bench, site, watched);
    }
  },
  { limitMs: LIMIT_MS },
);
