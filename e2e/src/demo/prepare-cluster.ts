import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { DEVICE_MODELS, DEVICES } from '@hawser/cloudcore';
import { resourcePath, RESOURCES, StatusError, type ApiClient, type KubeObject } from '@hawser/kube';
import { loadKubeConfig } from '@hawser/kube/kubeconfig';
import type { ClusterSite } from '../cluster-site/cluster-site.ts';
import { untilServed } from '../cluster-site/define-resources.ts';
import { NODE_POOLS } from '../pool-site/pool-cluster.ts';
import { startNode } from '../processes/node-child.ts';
import { NAMESPACE, POOL_NAME } from './demo.ts';
import { waitUntil } from './wait.ts';

const CLI = path.join(path.dirname(createRequire(import.meta.url).resolve('@hawser/cli')), 'main.js');

/** Runs `hawser init`, and makes the namespace and the NodePool of the demonstration. @throws Error with what it said */
export async function prepareCluster(
  { client, kubeconfig, dir }: ClusterSite,
  signal: AbortSignal,
): Promise<void> {
  await hawserInit(kubeconfig, path.join(dir, 'cloudcore.yaml'));
  signal.throwIfAborted();
  await untilServed(client, [NODE_POOLS, DEVICES, DEVICE_MODELS]);
  await post(client, resourcePath(RESOURCES.namespaces, {}), {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: NAMESPACE },
  });
  await post(client, resourcePath(NODE_POOLS, {}), {
    apiVersion: `${NODE_POOLS.group}/${NODE_POOLS.version}`,
    kind: NODE_POOLS.kind,
    metadata: { name: POOL_NAME },
    spec: { type: 'Edge', interConnectivity: true, enableLeaderElection: true },
  });
  // Pods cannot be made before a controller has made it.
  const account = resourcePath(RESOURCES.serviceaccounts, { namespace: NAMESPACE, name: 'default' });
  await waitUntil('the namespace has a service account', signal, () => isThere(client, account));
}

/** Writes a kubeconfig like another one, with the demonstration's namespace as the default. */
export async function writeKubeconfig(file: string, like: string): Promise<void> {
  const config = loadKubeConfig({ path: like });
  const whole = JSON.parse(config.exportConfig()) as KubeConfigFile;
  const contexts = whole.contexts.map((one) =>
    one.name === config.getCurrentContext()
      ? { ...one, context: { ...one.context, namespace: NAMESPACE } }
      : one,
  );
  await writeFile(file, JSON.stringify({ ...whole, contexts }), { mode: 0o600 }); // JSON is YAML
}

interface KubeConfigFile {
  readonly contexts: readonly {
    readonly name: string;
    readonly context: Readonly<Record<string, unknown>>;
  }[];
}

async function hawserInit(kubeconfig: string, config: string): Promise<void> {
  const options = ['--kubeconfig', kubeconfig, '--advertise', '127.0.0.1', '--config', config];
  const child = await startNode({ script: CLI, args: ['init', ...options], readyWhen: 'spawned' });
  const { code } = await child.exited;
  if (code !== 0) throw new Error(`hawser init failed (${code ?? 'killed'}): ${child.stderr}`);
}

async function post(client: ApiClient, path: string, body: KubeObject): Promise<void> {
  await client.request({ method: 'POST', path, body });
}

async function isThere(client: ApiClient, path: string): Promise<boolean> {
  try {
    await client.request({ method: 'GET', path });
    return true;
  } catch (error) {
    if (error instanceof StatusError && error.status.code === 404) return false;
    throw error;
  }
}
