// An informer of @kubernetes/client-node, unmodified, on the EndpointSlices that a kubeconfig leads to. It says each list and
// each event that it hears: `node informer.js KUBECONFIG`.
import {
  DiscoveryV1Api,
  KubeConfig,
  makeInformer,
  type KubernetesObject,
  type V1EndpointSlice,
} from '@kubernetes/client-node';
import { announceReady } from '../../../src/processes/in-child.ts';
import type { InformerNote } from './informer-notes.ts';

const AGAIN_MS = 200;

const config = new KubeConfig();
config.loadFromFile(process.argv[2] ?? '');
const api = config.makeApiClient(DiscoveryV1Api);

const informer = makeInformer<V1EndpointSlice>(
  config,
  '/apis/discovery.k8s.io/v1/endpointslices',
  async () => {
    const list = await api.listEndpointSliceForAllNamespaces();
    say({ note: 'list', version: list.metadata?.resourceVersion ?? '', count: list.items.length });
    return list;
  },
);
for (const event of ['add', 'update', 'delete'] as const)
  informer.on(event, (object: KubernetesObject) => {
    const { metadata } = object;
    say({ note: event, name: metadata?.name ?? '', version: metadata?.resourceVersion ?? '' });
  });
informer.on('error', (error: unknown) => {
  say({ note: 'error', message: error instanceof Error ? error.message : JSON.stringify(error) });
  // What its documentation asks of its users.
  setTimeout(() => void start(), AGAIN_MS);
});

async function start(): Promise<void> {
  try {
    await informer.start();
  } catch (error) {
    say({ note: 'error', message: error instanceof Error ? error.message : String(error) });
    setTimeout(() => void start(), AGAIN_MS);
  }
}

function say(note: InformerNote): void {
  process.send?.(note);
}

process.once('SIGTERM', () => process.exit(0));
await start();
announceReady({});
