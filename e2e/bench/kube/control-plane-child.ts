// A control plane in a process of its own: `node control-plane-child.js {json of ControlPlaneSettings}`.
import { startControlPlane } from '@hawser/controlplane';
import { announceReady } from '../../src/index.ts';
import type { ControlPlaneReady, ControlPlaneSettings } from './control-plane-process.ts';

/** Nobody plays kubelet here: nodes that are not heard of must not keep the controllers busy meanwhile. */
const NO_HEARTBEATS_MS = 3_600_000;

const { dataDir, port = 0 } = JSON.parse(process.argv[2] ?? '{}') as ControlPlaneSettings;
const plane = await startControlPlane({ dataDir, port, nodeTimes: { graceMs: NO_HEARTBEATS_MS } });
process.once('SIGTERM', () => {
  void plane.stop().then(() => process.exit(0));
});
announceReady({ url: plane.url, kubeconfig: plane.kubeconfig } satisfies ControlPlaneReady);
