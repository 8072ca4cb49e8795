import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkConfig, ensureAuthority, startCloudCore, type CloudCore } from '@hawser/cloudcore';
import { FakeEdge } from '@hawser/cloudcore/testing';
import { startControlPlane, type ControlPlane } from '@hawser/controlplane';
import { ResourceClient, RESOURCES } from '@hawser/kube';
import { TestAuthority } from '@hawser/proto/testing';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';

const NODE = 'edge-1';
/** The one of PATH, and Debian's older one where it was unpacked before: they speak SPDY and WebSockets. */
const KUBECTLS = [
  'kubectl',
  fileURLToPath(new URL('../../../../.cache/kubectl-debian/usr/bin/kubectl', import.meta.url)),
];

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** kubectl → the embedded control plane → the hub → an edge that serves HTTP as the test says. */
for (const program of KUBECTLS) {
  const isThere = spawnSync(program, ['version', '--client']).status === 0;
  (isThere ? describe : describe.skip)(
    `${path.relative(process.cwd(), program)}, the embedded control plane and the hub`,
    () => {
      /** What undoes the start, last first. */
      const undo: (() => Promise<void>)[] = [];
      let dir: TempDir;
      let plane: ControlPlane;
      let core: CloudCore;
      let edge: FakeEdge;
      let kubeconfig: string;

      before(async () => {
        dir = await makeTempDir();
        undo.push(() => dir.remove());
        plane = await startControlPlane();
        undo.push(() => plane.stop());
        kubeconfig = path.join(dir.path, 'admin.conf');
        await writeFile(kubeconfig, plane.kubeconfig);
        const config = checkConfig(
          {
            listen: { host: '127.0.0.1', websocketPort: 0 },
            operations: { port: 0 },
            advertise: ['127.0.0.1'],
            heartbeatSeconds: 2,
            kubelet: { portRange: { first: 24_000, last: 24_999 } },
          },
          'the test',
        );
        core = await startCloudCore({ config, client: plane.client });
        undo.push(() => core.stop());
        const accounts = new ResourceClient(plane.client, RESOURCES.serviceaccounts);
        await eventually(
          'the default account',
          async () => (await accounts.list('default')).items.length > 0,
        );
        edge = new FakeEdge(core.websocketPort, await credentials(), NODE);
        undo.push(() => edge.stop());
        await register();
        await edge.connect();
        await eventually('the port in the Node', async () => (await port()) !== undefined, {
          deadlineMs: 10_000,
        });
        for (const [name, containers] of [
          ['web', ['app']],
          ['pair', ['app', 'sidecar']],
        ] as const)
          await pod(name, containers);
      });
      after(async () => {
        for (const stop of undo.splice(0).reverse()) await stop();
      });
      beforeEach(() => {
        edge.asked.length = 0;
        edge.onRequest = (_request, response) => {
          response.writeHead(200, { 'content-type': 'text/plain' });
          response.end('2026-01-02T03:04:05.000000001Z one\n2026-01-02T03:04:05.000000002Z two\n');
        };
      });

      function run(args: readonly string[]): Promise<Run> {
        const env = { PATH: process.env['PATH'], HOME: dir.path, KUBECONFIG: kubeconfig };
        return new Promise((resolve) => {
          execFile(program, [...args], { env, timeout: 20_000 }, (error, stdout, stderr) => {
            const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
            resolve({ code, stdout, stderr });
          });
        });
      }

      /** What the hub's authority gives to a node. */
      async function credentials(): ReturnType<TestAuthority['edge']> {
        await ensureAuthority(plane.client);
        const secrets = new ResourceClient(plane.client, RESOURCES.secrets);
        const { data } = (await secrets.get('hawser-system', 'hawser-authority')) as {
          data?: Readonly<Record<string, string>>;
        };
        const pem = (key: string): string => Buffer.from(data?.[key] ?? '', 'base64').toString();
        return (await TestAuthority.load(pem('tls.crt'), pem('tls.key'))).edge(NODE);
      }

      async function register(): Promise<void> {
        const metadata = { name: NODE, labels: { 'hawser.dev/edge': '' } };
        const status = { conditions: [{ type: 'Ready', status: 'True' }] };
        await new ResourceClient(plane.client, RESOURCES.nodes).create({
          ...{ apiVersion: 'v1', kind: 'Node', metadata, status },
        });
      }

      async function port(): Promise<number | undefined> {
        const { status } = (await new ResourceClient(plane.client, RESOURCES.nodes).get('', NODE)) as {
          status?: { daemonEndpoints?: { kubeletEndpoint?: { Port?: number } } };
        };
        return status?.daemonEndpoints?.kubeletEndpoint?.Port;
      }

      async function pod(name: string, containers: readonly string[]): Promise<void> {
        const spec = {
          nodeName: NODE,
          containers: containers.map((container) => ({ name: container, image: 'a:1' })),
        };
        await new ResourceClient(plane.client, RESOURCES.pods).create({
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { namespace: 'default', name },
          spec,
        });
        const known = async (): Promise<boolean> =>
          !(await run(['logs', name, '-c', 'app'])).stderr.includes('is not bound to');
        await eventually('the hub knows the pod', known, { deadlineMs: 10_000 });
      }

      it('shows logs, in the forms that it can be asked for', async () => {
        assert.deepEqual(await run(['logs', 'web']), { code: 0, stdout: 'one\ntwo\n', stderr: '' });
        assert.match(
          (await run(['logs', 'pair', '-c', 'sidecar', '--timestamps'])).stdout,
          /^2026-01-02T03:04:05\.0+1Z one\n/,
        );
        assert.equal(
          (await run(['logs', '-f', 'web', '--tail', '5', '--limit-bytes', '5'])).stdout,
          'one\nt',
        );
        assert.deepEqual(edge.asked, [
          'GET /containerLogs/default/web/app?timestamps=true',
          'GET /containerLogs/default/pair/sidecar?timestamps=true',
          'GET /containerLogs/default/web/app?follow=true&tailLines=5&timestamps=true',
        ]);
      });

      it('says what is wrong, as it does with kube-apiserver', async () => {
        const nowhere = {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { namespace: 'default', name: 'unbound' },
        };
        const spec = { nodeSelector: { no: 'where' }, containers: [{ name: 'app', image: 'a:1' }] };
        await new ResourceClient(plane.client, RESOURCES.pods).create({ ...nowhere, spec });
        assert.deepEqual(await run(['logs', 'unbound']), { code: 0, stdout: '', stderr: '' });
        const log = '/api/v1/namespaces/default/pods/pair/log';
        const wrong = await run(['get', '--raw', `${log}?container=none`]);
        assert.equal(wrong.code, 1);
        assert.match(wrong.stderr, /container none is not valid for pod pair/);
        const raw = await run(['get', '--raw', log]);
        assert.match(
          raw.stderr,
          /a container name must be specified for pod pair, choose one of: \[app sidecar\]/,
        );
        edge.onRequest = (_request, response) => {
          response.writeHead(400).end('container "app" in pod "web" is waiting to start: ContainerCreating');
        };
        const waiting = await run(['logs', 'web']);
        assert.equal(
          waiting.stderr,
          'Error from server (BadRequest): container "app" in pod "web" is waiting to start: ContainerCreating\n',
        );
      });

      it('asks a node itself', async () => {
        edge.onRequest = (request, response) => void response.end(JSON.stringify({ asked: request.url }));
        const { stdout, stderr } = await run([
          'get',
          '--raw',
          `/api/v1/nodes/${NODE}/proxy/stats/summary?only_cpu_and_memory=true`,
        ]);
        assert.equal(stdout, '{"asked":"/stats/summary?only_cpu_and_memory=true"}', stderr);
        const refused = await run(['get', '--raw', `/api/v1/nodes/${NODE}/proxy/configz`]);
        assert.match(refused.stderr, /\(NotFound\)/);
      });

      it('hears what the edge says to exec', async () => {
        edge.onUpgrade = (_request, socket) => {
          const body = 'container not found ("app")\n';
          socket.end(
            `HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
          );
        };
        const { code, stderr } = await run(['exec', 'web', '--', 'ls']);
        assert.equal(code, 1);
        assert.match(stderr, /container not found \("app"\)/);
        assert.match(
          edge.asked.at(-1) ?? '',
          /^POST \/exec\/default\/web\/app\?output=1&error=1&command=ls$/,
        );
      });

      it('needs get for logs, and create for exec', async () => {
        const rbac = 'rbac.authorization.k8s.io';
        const role = { group: rbac, version: 'v1', resource: 'roles', kind: 'Role', namespaced: true };
        const metadata = { namespace: 'default', name: 'reader' };
        await new ResourceClient(plane.client, role).create({
          ...{ apiVersion: `${rbac}/v1`, kind: 'Role', metadata },
          rules: [{ apiGroups: [''], resources: ['pods', 'pods/log', 'pods/exec'], verbs: ['get'] }],
        });
        await new ResourceClient(plane.client, {
          ...role,
          resource: 'rolebindings',
          kind: 'RoleBinding',
        }).create({
          ...{ apiVersion: `${rbac}/v1`, kind: 'RoleBinding', metadata },
          subjects: [{ kind: 'User', apiGroup: rbac, name: 'reader' }],
          roleRef: { apiGroup: rbac, kind: 'Role', name: 'reader' },
        });
        assert.equal((await run(['logs', 'web', '--as', 'reader'])).stdout, 'one\ntwo\n');
        edge.asked.length = 0;
        const shell = await run(['exec', 'web', '--as', 'reader', '--', 'ls']);
        assert.equal(shell.code, 1);
        assert.match(shell.stderr, /User "reader" cannot create resource "pods\/exec"/);
        const stranger = await run(['logs', 'web', '--as', 'stranger']);
        assert.match(stranger.stderr, /User "stranger" cannot get resource "pods/);
        assert.deepEqual(edge.asked, []);
      });

      it('is told when the node is away', async () => {
        await edge.disconnect();
        await eventually('it is away', () => core.nodes.length === 0);
        const { code, stderr } = await run(['logs', 'web']);
        assert.equal(code, 1);
        assert.match(stderr, /node edge-1 has no session with this hub: it is switched off, cut off/);
        await edge.connect();
        await eventually('it is back', async () => (await run(['logs', 'web'])).code === 0, {
          deadlineMs: 10_000,
        });
      });
    },
  );
}
