import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { RESOURCES } from '@hawser/kube';
import { EdgeStore } from '@hawser/edgecore';
import { TunnelClient, tunnelLimits, WsTransport } from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import { delay, deferred } from '@hawser/seams';
import { ScopeReplica } from '@hawser/sync';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import { median, percentile, type Bench } from '../../src/index.ts';
import { createAll, fixture, nodeConfigMaps, nodePods, patchKey, randomText } from './objects.ts';

const CHANGES = 300;
const WARM_UPS = 20;
const PAUSE_MS = 20;
const NODE = 'latency-edge';

/** From the call that changes a ConfigMap to the moment when it is durable at the edge: the real store, on disk. */
export async function measureLatency(bench: Bench): Promise<void> {
  const site = await ClusterSite.open({ hub: { heartbeatSeconds: 10, logLevel: 'error' } });
  bench.onEnd(() => site.close());
  const [pod, configMap] = [await fixture('pod-4k'), await fixture('configmap-2k')];
  await createAll(site.client, RESOURCES.configmaps, nodeConfigMaps(configMap, NODE));
  const dir = path.join(site.dir, 'latency');
  await mkdir(dir, { mode: 0o700 });
  const store = await EdgeStore.open({ dir });
  bench.onEnd(() => store.close());
  const replica = new ScopeReplica({ scope: `node/${NODE}`, store: store.replica });
  const { certificate, privateKey } = await site.authority();
  const credentials = await (await TestAuthority.load(certificate, privateKey)).edge(NODE);
  const transport = new WsTransport({ credentials: () => credentials, limits: tunnelLimits() });
  const client = new TunnelClient({
    routes: [{ transport, hub: site.directAddress() }],
    hello: () => ({ node: NODE, software: 'edge/bench' }),
    onTunnel: (tunnel) => {
      const session = replica.open({
        scopeId: 1,
        send: (frame) => tunnel.send(frame),
        onFailed: (error) => void tunnel.close({ code: 'internal', message: error.message }),
      });
      void tunnel.closed.then(() => session.end());
      return (frame) => {
        if (frame.body === 'delta') session.onDelta(frame.delta);
      };
    },
  });
  bench.onEnd(() => client.stop());
  client.start();
  await createAll(site.client, RESOURCES.pods, nodePods(pod, NODE));
  while (!replica.state.synced || replica.state.objects < 15) await delay(PAUSE_MS);

  bench.say(`changing a ConfigMap ${CHANGES} times …`);
  const key = `configmaps/default/${NODE}-cm-0`;
  const samples: number[] = [];
  for (let change = -WARM_UPS; change < CHANGES; change++) {
    const durable = deferred<number>();
    const stopListening = store.replica.listen((_scope, keys) => {
      if (keys.includes(key)) durable.resolve(performance.now());
    });
    const startedMs = performance.now();
    await patchKey(site.client, `${NODE}-cm-0`, 'reader.interval', randomText());
    const elapsedMs = (await durable.promise) - startedMs;
    stopListening();
    if (change >= 0) samples.push(elapsedMs);
    await delay(PAUSE_MS);
  }
  const note = 'the write at the API server, and its way there between processes, included';
  bench.figure({ figure: 'change_to_durable_p50_ms', value: median(samples), unit: 'ms', n: CHANGES, note });
  bench.figure({
    figure: 'change_to_durable_p99_ms',
    value: percentile(samples, 99),
    unit: 'ms',
    n: CHANGES,
    note,
  });
}
