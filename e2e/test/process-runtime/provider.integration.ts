import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { RESOURCES, type KubeObject } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { UserCommand } from '../../src/processes/user-command.ts';
import type { SeenPod } from '../../src/pods-site/pods-site.ts';

const NODE = 'edge-1';
const EXAMPLE = path.resolve(import.meta.dirname, '../../../../docs/examples/runtime-provider');
const WAIT = { deadlineMs: 20_000 };
const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

(hasKubectl ? describe : describe.skip)('a runtime of another package, in a real edge core', () => {
  let site: ClusterSite;
  let edge: SiteEdge;
  let folder: string;

  before(async function () {
    this.timeout(60_000);
    site = await ClusterSite.open({ hub: { kubelet: { portRange: { first: 27_500, last: 27_999 } } } });
    folder = await mkdtemp(path.join(site.dir, 'provider-'));
    await cp(EXAMPLE, folder, { recursive: true });
    edge = await site.joined(NODE, {
      config: {
        pods: {
          runtime: path.join(folder, 'echo-provider.js'),
          runtimeOptions: { prefix: 'echo: ' },
          logDir: path.join(site.dir, 'logs'),
        },
      },
    });
    await edge.start();
    await edge.untilInSync();
  });
  after(async () => {
    await site.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('runs what it knows, and says who it is', async () => {
    await site.objects.create(pod('hello', ['echo', 'hello']));
    await eventually('it has run', async () => (await seen('hello')).status?.phase === 'Succeeded', WAIT);
    const { status } = (await site.objects.get(RESOURCES.nodes, NODE)) as KubeObject & {
      status: { nodeInfo: { containerRuntimeVersion: string } };
    };
    assert.equal(status.nodeInfo.containerRuntimeVersion, 'echo://0.1.0');
    const kubectl = new UserCommand('kubectl', ['kubectl'], { HOME: site.dir, KUBECONFIG: site.kubeconfig });
    assert.equal(await kubectl.ok(['logs', 'hello']), 'echo: hello\n');
  });

  it('has its refusals in the status of a pod', async () => {
    await site.objects.create(pod('other', ['sleep', '10']));
    await eventually(
      'it is refused',
      async () => {
        const waiting = (await seen('other')).status?.containerStatuses?.[0]?.state?.['waiting'];
        return String(waiting?.['message']).includes('this node knows echo');
      },
      WAIT,
    );
    await site.objects.remove(RESOURCES.pods, ['other', 'hello']);
  });

  it('is refused at the start, where its options or its place are wrong', async () => {
    await edge.stop();
    const runtime = path.join(folder, 'echo-provider.js');
    const start = async (pods: object): Promise<void> => {
      await edge.start({ config: { pods } });
    };
    await assert.rejects(
      start({ runtime, runtimeOptions: { colour: 'red' } }),
      /ERR_EDGECORE_RUNTIME_OPTIONS/,
    );
    await assert.rejects(start({ runtime: '/nowhere.js' }), /ERR_EDGECORE_RUNTIME_PROVIDER_MISSING/);
    spawnSync('chmod', ['o+w', runtime]);
    await assert.rejects(start({ runtime }), /ERR_EDGECORE_RUNTIME_PROVIDER_UNSAFE/);
  });

  const seen = async (name: string): Promise<SeenPod> =>
    (await site.objects.get(RESOURCES.pods, name)) as SeenPod;
});

function pod(name: string, command: readonly string[]): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      ...{ nodeName: NODE, restartPolicy: 'Never', automountServiceAccountToken: false },
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: 'registry.example/echo:1', command }],
    },
  };
}
