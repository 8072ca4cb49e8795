import assert from 'node:assert/strict';
import path from 'node:path';
import { ResourceClient, type HttpApiClient, type KubeObject } from '@hawser/kube';
import { delay } from '@hawser/seams';
import { eventually, makeTempDir, scaled, type TempDir } from '@hawser/seams/testing';
import { API } from '../src/api/resources.ts';
import { FakeKubelet } from '../testing/fake-kubelet.ts';
import { Command } from './command.ts';
import { isReady, template } from './fixture.ts';

const WRITERS = 8;

/** What the server has said yes to. */
interface Ledger {
  /** Value last acknowledged, by name. */
  readonly written: Map<string, number>;
  /** Names whose last write was sent and not answered. */
  readonly unknown: Set<string>;
}

describe('control plane: kill -9 under load', function () {
  this.timeout(scaled(60_000, 600_000));
  let temp: TempDir;
  let command: Command | undefined;

  beforeEach(async () => (temp = await makeTempDir()));
  afterEach(async () => {
    await command?.kill();
    await temp.remove();
  });

  it('loses nothing acknowledged, and the controllers go on', async () => {
    const ledger: Ledger = { written: new Map(), unknown: new Set() };
    const rounds = scaled(3, 30);
    for (let round = 0; round < rounds; round += 1) {
      const client = await start();
      try {
        await checkLedger(client, ledger);
        await growDeployment(client, round);
        const load = Array.from({ length: WRITERS }, (_, writer) => write(client, writer, round, ledger));
        // Somewhere in the middle of it all.
        await delay(150 + 100 * round);
        await command?.kill('SIGKILL');
        await Promise.all(load);
      } finally {
        client.close();
      }
    }
    const client = await start();
    try {
      await checkLedger(client, ledger);
      assert.ok(ledger.written.size > 20, `only ${ledger.written.size} objects were written`);
      await settles(client, rounds + 1);
    } finally {
      client.close();
    }
    await command?.kill('SIGTERM');
  });

  async function start(): Promise<HttpApiClient> {
    const kubeconfig = path.join(temp.path, 'config');
    command = new Command([
      '--data-dir',
      path.join(temp.path, 'data'),
      '--kubeconfig',
      kubeconfig,
      '--port',
      '0',
    ]);
    await command.ready();
    return Command.client(kubeconfig);
  }
});

/** Creates and changes objects until the server is gone. */
async function write(
  client: HttpApiClient,
  writer: number,
  round: number,
  { written, unknown }: Ledger,
): Promise<void> {
  const maps = new ResourceClient(client, API.configmaps);
  for (let index = 0; ; index += 1) {
    const name = `w${writer}-r${round}-${Math.floor(index / 3)}`;
    const value = index % 3;
    unknown.add(name);
    try {
      if (value === 0) {
        await maps.create({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name, namespace: 'default' },
          data: { value: '0' },
        });
      } else {
        await maps.patch('default', name, 'merge', { data: { value: String(value) } });
      }
    } catch {
      return; // killed: whether this write is there is not known
    }
    unknown.delete(name);
    written.set(name, value);
  }
}

async function checkLedger(client: HttpApiClient, { written, unknown }: Ledger): Promise<void> {
  const { items } = await new ResourceClient(client, API.configmaps).list('default');
  const found = new Map(
    items.map((map) => [map.metadata.name ?? '', Number((map['data'] as { value?: string }).value)]),
  );
  for (const [name, value] of written) {
    const allowed = unknown.has(name) ? [value, value + 1] : [value];
    assert.ok(
      allowed.includes(found.get(name) ?? NaN),
      `${name} is ${found.get(name) ?? 'gone'}, not ${allowed.join(' or ')}`,
    );
  }
  for (const name of found.keys()) {
    assert.ok(
      written.has(name) || unknown.has(name) || name === 'kube-root-ca.crt',
      `${name} was never written`,
    );
  }
}

/** One replica more in each round, so that the kill hits controllers at work. */
async function growDeployment(client: HttpApiClient, round: number): Promise<void> {
  const deployments = new ResourceClient(client, API.deployments);
  if (round > 0) {
    await deployments.patch('default', 'web', 'merge', { spec: { replicas: round + 2 } });
    return;
  }
  await deployments.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: template('web') },
  });
}

async function settles(client: HttpApiClient, replicas: number): Promise<void> {
  const kubelet = new FakeKubelet({
    client,
    node: 'n1',
    allocatable: { cpu: '64', memory: '64Gi', pods: '500' },
  });
  await kubelet.start();
  try {
    const pods = new ResourceClient(client, API.pods);
    const deployments = new ResourceClient(client, API.deployments);
    let found: readonly KubeObject[] = [];
    await eventually(
      'the deployment has its pods',
      async () => {
        found = (await pods.list('default')).items;
        const { status } = await deployments.get('default', 'web');
        const { readyReplicas } = (status ?? {}) as { readyReplicas?: number };
        return found.length === replicas && found.every(isReady) && readyReplicas === replicas;
      },
      { deadlineMs: 20_000, intervalMs: 50 },
    );
    assert.equal((await new ResourceClient(client, API.replicasets).list('default')).items.length, 1);
  } finally {
    await kubelet.stop();
  }
}
