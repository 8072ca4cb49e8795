import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { ContainerdSite } from '@hawser/edgecore/testing';
import { ModbusPeer } from '@hawser/mapper-modbus/testing';
import { randomBelow, seededRandom } from '@hawser/seams';
import { eventually, makeTempDir, scaled, type TempDir } from '@hawser/seams/testing';
import { ask } from '../../src/cluster-site/ipc-calls.ts';
import { startNode } from '../../src/processes/node-child.ts';
import { remainsOf, runDemo } from './demo-run.ts';

/** What it shows wherever it runs. */
const ALWAYS = [
  /Node registered and Ready/,
  /nodes are Ready and 3 pods Running \d+\.\d s after the start/,
  /reported as Running/,
  /durable at the edge after \d+ ms/,
  /3 ConfigMaps were written twice: 3 changes travelled/,
  /3 pods and \d+ objects from its disk/,
  /killed \(SIGKILL\): edge-\d leads, epoch \d+/,
  /edge-\d is back, and follows/,
  /its session ended after \d+ ms: .*revoked/,
  /it is in again: in sync \d+ ms after its start/,
  /everything stopped/,
];
/** What it shows where containers can be run. */
const ON_REAL_PODS = [
  /changed in the files of 3 running pods after \d+ ms; none was restarted/,
  /was killed, and the next one runs after \d+ ms/,
  /3 containers run again/,
  /nothing was rebuilt: the same 3 containers run/,
];
const ON_DEVICES = [
  /up: a register became 231, and the Device in the cluster says so \d+ ms later/,
  /down: desired in the cluster, in the register of the device \d+ ms later/,
];
/** Lines of a whole run, about. */
const LINES = 90;
const STOP_LIMIT_MS = 15_000;
/** Of a new cluster. */
const NAMESPACES = 4;
/** Objects that a cluster has, and a demonstration in it might leave. */
const KINDS = [
  '/api/v1/namespaces',
  '/api/v1/nodes',
  '/api/v1/pods',
  '/api/v1/secrets',
  '/api/v1/configmaps',
  '/api/v1/serviceaccounts',
  '/apis/apps/v1/deployments',
  '/apis/coordination.k8s.io/v1/leases',
  '/apis/rbac.authorization.k8s.io/v1/clusterroles',
  '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  '/apis/rbac.authorization.k8s.io/v1/roles',
  '/apis/rbac.authorization.k8s.io/v1/rolebindings',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
];

describe('the demonstration behind npm start', function () {
  this.timeout(180_000);
  let dir: TempDir;
  let tmp: string;

  before(async () => {
    dir = await makeTempDir();
    tmp = path.join(dir.path, 'tmp');
    await mkdir(tmp);
  });
  after(() => dir.remove());

  /** Of a hub that is killed: nothing travels again, but for who leads the pool now. */
  function checkTravelled(stdout: string, edges: number): void {
    const [, objects = '', , elections = '0'] =
      /; (\d+) objects travelled( to tell who leads the pool, after (\d+) elections?)?/.exec(stdout) ?? [];
    assert.match(objects, /^\d+$/, stdout);
    assert.ok(Number(objects) <= 2 * edges * Number(elections), `${objects} objects, ${elections} elections`);
  }

  it('shows a pool of nodes from their join to the end of their hub, and stops everything', async () => {
    const { code, stdout, stderr } = await runDemo(['--once', '--runtime', 'null', '--nodes', '2'], tmp);
    assert.equal(code, 0, stderr + stdout);
    const lines = ModbusPeer.missing() === undefined ? [...ALWAYS, ...ON_DEVICES] : ALWAYS;
    for (const line of lines) assert.match(stdout, line);
    checkTravelled(stdout, 2);
    assert.deepEqual(await remainsOf(tmp), []);
  });

  it('shows real containers', async function () {
    const available = await ContainerdSite.availability();
    if (!available.ok) {
      console.log(`    left out: ${available.reason}`);
      this.skip();
    }
    const { code, stdout, stderr } = await runDemo(['--once', '--runtime', 'cri'], tmp);
    assert.equal(code, 0, stderr + stdout);
    for (const line of [...ALWAYS, ...ON_REAL_PODS]) assert.match(stdout, line);
    checkTravelled(stdout, 3);
    assert.deepEqual(await remainsOf(tmp), []);
  });

  it('works in a cluster that is there, and leaves it as it was', async () => {
    const kubeconfig = path.join(dir.path, 'kubeconfig');
    const plane = await startNode({
      script: new URL('../../src/cluster-site/control-plane-process.js', import.meta.url),
      args: [JSON.stringify({ kubeconfig })],
      readyTimeoutMs: 60_000,
    });
    try {
      const objects = async (): Promise<readonly string[]> => {
        const lists = await Promise.all(
          KINDS.map(async (kind) => {
            const { items } = await ask<List>(plane, 'call', { method: 'GET', path: kind });
            return items.map(({ metadata: { namespace = '', name } }) => `${kind} ${namespace}/${name}`);
          }),
        );
        return lists.flat().sort();
      };
      await eventually('the controllers have made what each namespace has', async () => {
        const names = await objects();
        return ['configmaps .*/kube-root-ca.crt', 'serviceaccounts .*/default'].every(
          (one) => names.filter((name) => new RegExp(`/${one}$`).test(name)).length === NAMESPACES,
        );
      });
      const before = await objects();
      const args = ['--once', '--runtime', 'null', '--nodes', '2', '--kubeconfig', kubeconfig];
      const { code, stdout, stderr } = await runDemo(args, tmp);
      assert.equal(code, 0, stderr + stdout);
      assert.match(stdout, /demo-\d leads, epoch 2/);
      assert.deepEqual(await objects(), before);
      assert.deepEqual(await remainsOf(tmp), []);
    } finally {
      await plane.stop();
    }
  });

  it('leaves nothing when it is interrupted, at whatever moment', async () => {
    const seed = Number(process.env['HAWSER_DEMO_SEED'] ?? Math.floor(Math.random() * 1e6));
    const random = seededRandom(seed);
    const available = await ContainerdSite.availability();
    const ways = [
      { signals: ['SIGINT'], toGroup: true },
      { signals: ['SIGTERM'] },
      { signals: ['SIGINT', 'SIGINT'] },
    ] as const;
    for (let run = 0; run < scaled(3, 60); run++) {
      const afterLines = 1 + randomBelow(random, LINES);
      const way = ways[randomBelow(random, ways.length)] ?? ways[0];
      const runtime = (['null', 'process', available.ok ? 'cri' : 'process'] as const)[run % 3] ?? 'null';
      const what = `seed ${seed}, run ${run}: ${JSON.stringify(way)} after ${afterLines} lines, ${runtime}`;
      const args = ['--keep', '--no-view', '--nodes', '2', '--runtime', runtime];
      const { code, signal, stdout, stderr, stoppedMs } = await runDemo(args, tmp, { afterLines, ...way });
      assert.deepEqual([code, signal], [0, null], `${what}: ${stderr}${stdout}`);
      assert.match(stdout, /everything stopped/, what);
      assert.ok(stoppedMs !== undefined && stoppedMs < STOP_LIMIT_MS, `${what}: ${stoppedMs} ms`);
      const remains = await remainsOf(tmp);
      assert.deepEqual(remains, [], `${what}: ${remains.join('\n')}`);
    }
  });

  it('says what is wrong with a choice, and what is allowed', async () => {
    for (const [args, message] of [
      [['--nodes', '21'], /--nodes is a number from 1 to 20, and not "21"/],
      [['--runtime', 'docker'], /--runtime is one of cri, .*null, and not "docker"/],
      [['--kubeconfig', '/nowhere'], /cannot load kubeconfig \/nowhere/],
    ] as const) {
      const { code, stdout, stderr } = await runDemo(args, tmp);
      assert.deepEqual([code, stdout], [1, ''], 'before anything is started');
      assert.match(stderr, message);
      assert.match(stderr, /npm start -- --help/);
    }
    assert.deepEqual(await remainsOf(tmp), []);
  });
});

interface List {
  readonly items: readonly { readonly metadata: { readonly namespace?: string; readonly name: string } }[];
}
