import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmod, chown, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { RESOURCES, type KubeObject } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { configMap } from '../../src/cluster-site/site-objects.ts';
import { UserCommand } from '../../src/processes/user-command.ts';
import { isReady, type SeenPod } from '../../src/pods-site/pods-site.ts';

const NODE = 'edge-1';
const NOBODY = 65_534;
const WAIT = { deadlineMs: 30_000 };
/** Says who it is, and then what its configuration says, again and again. Kubernetes makes $$ of $$$$. */
const COMMAND =
  'echo "process $$$$ of user $(id -u)"; while sleep 0.2; do cat $HAWSER_MOUNTS/etc/app/text; echo; done';

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

/** Control plane → hub → edge core of a user without rights → processes, each for itself; nothing here is a container. */
(hasKubectl ? describe : describe.skip)(
  'pods as processes, without root and without a container runtime',
  () => {
    let site: ClusterSite;
    let edge: SiteEdge;
    let kubectl: UserCommand;
    let pages: Server;

    before(async function () {
      this.timeout(60_000);
      site = await ClusterSite.open({ hub: { kubelet: { portRange: { first: 27_000, last: 27_499 } } } });
      kubectl = new UserCommand('kubectl', ['kubectl'], { HOME: site.dir, KUBECONFIG: site.kubeconfig });
      const isRoot = process.getuid?.() === 0;
      const logDir = path.join(site.dir, 'e0', 'logs');
      edge = await site.joined(NODE, {
        config: { pods: { runtime: 'process', logDir } },
        ...(isRoot && { under: ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] }),
      });
      if (isRoot) {
        await chmod(site.dir, 0o711);
        await chown(path.dirname(edge.dataDir), NOBODY, NOBODY);
        spawnSync('chown', ['-R', `${NOBODY}:${NOBODY}`, path.dirname(edge.dataDir)]);
      }
      await edge.start();
      await edge.untilInSync();
      pages = createServer((_, response) => response.end('a page')).listen(0, '127.0.0.1');
      await site.objects.create(configMap('settings', 'first'));
      await site.objects.create(deployment());
      await eventually('both pods are ready', async () => (await pods()).filter(isReady).length === 2, WAIT);
    });
    after(async () => {
      const opened = site as ClusterSite | undefined;
      if (opened === undefined) return;
      pages.close();
      if (!edge.runs) await edge.start(); // a test has failed: its pods are to end all the same
      await opened.objects.remove(RESOURCES.deployments, ['app']);
      await eventually('no pod is left', async () => (await pods()).length === 0, WAIT);
      await opened.close();
    });

    const pods = async (): Promise<readonly SeenPod[]> =>
      (await site.objects.list(RESOURCES.pods)).map((pod) => pod as SeenPod);
    const names = async (): Promise<readonly string[]> =>
      (await pods()).map(({ metadata }) => metadata.name ?? '').sort();
    /** The process that a pod has said to be. */
    const processOf = async (name: string): Promise<number> =>
      Number(/process (\d+) of user/.exec(await kubectl.ok(['logs', name]))?.[1]);

    it('says at the node what it is', async () => {
      const { metadata, status } = (await site.objects.get(RESOURCES.nodes, NODE)) as KubeObject & {
        status: {
          nodeInfo: { containerRuntimeVersion: string };
          conditions: { type: string; message: string }[];
        };
      };
      assert.match(status.nodeInfo.containerRuntimeVersion, /^process:\/\/\d/);
      assert.match(
        status.conditions.find(({ type }) => type === 'Ready')?.message ?? '',
        /without isolation/,
      );
      assert.match(metadata.annotations?.['hawser.dev/runtime-caution'] ?? '', /processes of this host/);
      assert.match(edge.log, /containers are processes of this host, without isolation/);
    });

    it('says at each pod what is not kept', async () => {
      const [name = ''] = await names();
      await eventually('the event is there', async () =>
        (await kubectl.ok(['get', 'events', '-o', 'wide'])).includes(`pod/${name}`),
      );
      const events = await kubectl.ok(['get', 'events']);
      assert.match(events, /NotIsolated.*containers are processes of this host/);
    });

    it('gives a pod the node’s address, and its own user', async () => {
      const [pod] = await pods();
      assert.equal(pod?.status?.podIP, pod?.status?.hostIPs?.[0]?.ip);
      const user = process.getuid?.() === 0 ? NOBODY : process.getuid?.();
      for (const name of await names())
        assert.match(await kubectl.ok(['logs', name]), new RegExp(`of user ${user}\n`));
    });

    it('follows a ConfigMap in place', async () => {
      await site.objects.setText(['settings'], 'second');
      for (const name of await names())
        await eventually(
          'it reads the new text',
          async () => (await kubectl.ok(['logs', name, '--tail', '1'])).includes('second'),
          WAIT,
        );
      assert.deepEqual(
        (await pods()).map(({ status }) => status?.containerStatuses?.[0]?.restartCount),
        [0, 0],
      );
    });

    it('runs commands, with their input, errors and exit codes', async () => {
      const [name = ''] = await names();
      const both = await kubectl.run(['exec', name, '--', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
      assert.deepEqual([both.code, both.stdout], [7, 'out\n']);
      assert.match(both.stderr, /^err\n/);
      const counted = await kubectl.ok(['exec', '-i', name, '--', 'wc', '-c'], {
        input: 'x'.repeat(300_000),
      });
      assert.equal(counted.trim(), '300000');
      const mounted = await kubectl.ok(['exec', name, '--', 'sh', '-c', 'cat $HAWSER_MOUNTS/etc/app/text']);
      assert.equal(mounted, 'second');
      const token = '/var/run/secrets/kubernetes.io/serviceaccount/token';
      assert.match(await kubectl.ok(['exec', name, '--', 'sh', '-c', `cat $HAWSER_MOUNTS${token}`]), /^ey/);
    });

    it('runs a command of `hawser exec`, which needs no cloud', async () => {
      const [name = ''] = await names();
      const main = path.resolve(import.meta.dirname, '../../../../cli/dist/src/main.js');
      const hawser = new UserCommand('hawser', [process.execPath, main], { HOME: site.dir });
      const said = await hawser.run(
        ['exec', '--socket', edge.socket, '-i', name, '--', 'sh', '-c', 'cat; exit 4'],
        { input: 'hello' },
      );
      assert.deepEqual([said.code, said.stdout], [4, 'hello'], said.stderr);
    });

    it('forwards a port', async () => {
      const [name = ''] = await names();
      const { port } = pages.address() as AddressInfo;
      const child = spawn('kubectl', ['port-forward', `pod/${name}`, `:${port}`, '--address', '127.0.0.1'], {
        env: { PATH: process.env['PATH'], HOME: site.dir, KUBECONFIG: site.kubeconfig },
      });
      try {
        let said = '';
        child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
        child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
        await eventually('it listens', () => said.includes('Forwarding from'), WAIT);
        const local = /127\.0\.0\.1:(\d+)/.exec(said)?.[1] ?? '';
        for (let request = 0; request < 3; request += 1)
          assert.equal(await (await fetch(`http://127.0.0.1:${local}/`)).text(), 'a page', said);
      } finally {
        child.kill();
      }
    });

    it('finds its pods again after its end, and has not touched them', async () => {
      const before = new Map<string, number>();
      for (const name of await names()) before.set(name, await processOf(name));
      const ids = (await pods()).map(({ status }) => status?.containerStatuses?.[0]?.containerID).sort();
      await edge.kill();
      for (const pid of before.values())
        assert.match(await readFile(`/proc/${pid}/cmdline`, 'utf8'), /etc\/app\/text/);
      await edge.start();
      await edge.untilInSync();
      await eventually('both are ready', async () => (await pods()).filter(isReady).length === 2, WAIT);
      assert.deepEqual(
        (await pods()).map(({ status }) => status?.containerStatuses?.[0]?.containerID).sort(),
        ids,
      );
      for (const [name, pid] of before) assert.equal(await processOf(name), pid);
      await site.objects.setText(['settings'], 'third');
      const [name = ''] = before.keys();
      await eventually(
        'its volumes follow again',
        async () => (await kubectl.ok(['logs', name, '--tail', '1'])).includes('third'),
        WAIT,
      );
    });
  },
);

function deployment(): KubeObject {
  const labels = { app: 'app' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'app', namespace: 'default' },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeName: NODE,
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: 'main',
              image: 'registry.example/app:1',
              command: ['sh', '-c', COMMAND],
              readinessProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
              volumeMounts: [{ name: 'settings', mountPath: '/etc/app' }],
            },
          ],
          volumes: [{ name: 'settings', configMap: { name: 'settings' } }],
        },
      },
    },
  };
}
