import { systemClock, type Clock } from '@hawser/seams';
import type { KubeObject } from '../src/meta/object.ts';
import { namespaceLifecycle } from '../src/server/admission/namespace-lifecycle.ts';
import { allowAllAuthorizer } from '../src/server/auth/authorizer.ts';
import { builtInResources } from '../src/server/builtin/index.ts';
import { CrdController } from '../src/server/crd/crd-controller.ts';
import { Registry } from '../src/server/registry/registry.ts';
import { KubeServer, type KubeServerOptions } from '../src/server/server.ts';
import { MemoryStore } from '../src/store/memory-store.ts';
import type { ObjectStore } from '../src/store/store.ts';

/** Settings of {@link startKubeFixture}. */
export interface KubeFixtureOptions {
  /** Default a new MemoryStore. */
  readonly store?: ObjectStore;
  /** Further or other settings of the server. */
  readonly server?: Partial<KubeServerOptions>;
  /** Default the system's. */
  readonly clock?: Clock;
  /** Namespaces to make. Default `default`, `kube-system`, `kube-node-lease`, `kube-public`. */
  readonly namespaces?: readonly string[];
}

/** A Kubernetes API server in this process, for tests. */
export interface KubeFixture {
  readonly server: KubeServer;
  readonly store: ObjectStore;
  readonly registry: Registry;
  /** `http://127.0.0.1:PORT`: no TLS, everybody may do everything, unless the options say otherwise. */
  readonly url: string;
  /** Stops the server and closes the store. */
  stop(): Promise<void>;
}

const NAMESPACES = ['default', 'kube-system', 'kube-node-lease', 'kube-public'];

/** Starts a server with the built-in resources over a memory store, on a free port; ready in milliseconds. */
export async function startKubeFixture(options: KubeFixtureOptions = {}): Promise<KubeFixture> {
  const { store = new MemoryStore(), clock = systemClock, namespaces = NAMESPACES } = options;
  const registry = options.server?.registry ?? new Registry();
  if (options.server?.registry === undefined) registry.add(builtInResources());
  for (const name of namespaces) await store.create(namespaceKey(name), namespaceObject(name, clock));
  const server = new KubeServer({
    store,
    clock,
    authorizer: allowAllAuthorizer,
    plugins: [namespaceLifecycle(store)],
    ...options.server,
    registry,
  });
  const crds = new CrdController({ store, registry, clock, onError: options.server?.onError });
  crds.start();
  await server.start();
  return {
    server,
    store,
    registry,
    url: server.url,
    async stop() {
      await server.stop();
      await crds.stop();
      await store.close();
    },
  };
}

function namespaceKey(name: string): { group: string; resource: string; namespace: string; name: string } {
  return { group: '', resource: 'namespaces', namespace: '', name };
}

function namespaceObject(name: string, clock: Clock): KubeObject {
  return {
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: {
      name,
      uid: crypto.randomUUID(),
      creationTimestamp: `${new Date(clock.wallMs()).toISOString().slice(0, 19)}Z`,
      labels: { 'kubernetes.io/metadata.name': name },
    },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}
