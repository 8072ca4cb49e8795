// A process that opens a site, runs a container in it, says where, and waits to be killed.
import { silentLogger } from '@hawser/seams';
import { CriRuntime } from '../../src/runtime/cri/cri-runtime.ts';
import { ContainerdSite } from '../../testing/containerd/containerd-site.ts';
import { startSleeper } from './sleeper.ts';

const site = await ContainerdSite.open();
const runtime = new CriRuntime({ endpoint: site.endpoint, log: silentLogger });
await runtime.start();
await startSleeper(runtime, site);
process.send?.({ dir: site.dir, socket: site.socket, cgroupRoot: site.cgroupRoot, pid: site.pid });
process.on('disconnect', () => process.exit(1));
