import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { HttpApiClient } from '@hawser/kube';
import { startKubeFixture, type KubeFixture, type KubeFixtureOptions } from '@hawser/kube/testing';
import { makeTempDir } from '@hawser/seams/testing';

/** An API server for a test, with a kubeconfig that leads to it. */
export interface TestCluster {
  readonly fixture: KubeFixture;
  readonly client: HttpApiClient;
  /** Path of the kubeconfig. */
  readonly kubeconfig: string;
  /** A folder of the test's own. */
  readonly dir: string;
  stop(): Promise<void>;
}

/** Starts one. @param server settings of the API server */
export async function startTestCluster(server?: KubeFixtureOptions['server']): Promise<TestCluster> {
  const dir = await makeTempDir();
  const fixture = await startKubeFixture(server === undefined ? {} : { server });
  const client = new HttpApiClient({ server: fixture.url });
  const kubeconfig = path.join(dir.path, 'kubeconfig');
  await writeFile(kubeconfig, kubeconfigFor(fixture.url));
  return {
    ...{ fixture, client, kubeconfig, dir: dir.path },
    async stop() {
      client.close();
      await fixture.stop();
      await dir.remove();
    },
  };
}

/** A kubeconfig without credentials. */
export function kubeconfigFor(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'test', user: {} }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}
