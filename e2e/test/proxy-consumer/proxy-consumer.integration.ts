import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startKubeFixture, type KubeFixture } from '@hawser/kube/testing';
import { MemoryStore, type KubeObject, type ObjectKey } from '@hawser/kube';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { Link } from '../../src/fault-proxy/link.ts';
import { startTcpProxy, type TcpProxy } from '../../src/fault-proxy/tcp-proxy.ts';
import { netnsAvailable } from '../../src/netns/availability.ts';
import { NetworkNamespace } from '../../src/netns/network-namespace.ts';
import { findExecutable } from '../../src/processes/executable.ts';
import type { NodeChild } from '../../src/processes/node-child.ts';
import { startProgram, type Program } from './program.ts';

interface Line {
  readonly seq: number;
  readonly resource?: string;
  readonly event: string;
  readonly key?: string;
  readonly resourceVersion?: string;
  readonly message?: string;
  readonly objects?: Readonly<Record<string, string>>;
  readonly relists?: number;
}

const MAIN = new URL('../../src/proxy-consumer/main.js', import.meta.url);
const KUBECTL_WATCH = new URL('../../src/proxy-consumer/kubectl-watch.js', import.meta.url);
const WATCH_PY = fileURLToPath(new URL('../../../src/proxy-consumer/watch.py', import.meta.url));
const PYTHON = '/usr/bin/python3';
const SLICES = { group: 'discovery.k8s.io', resource: 'endpointslices', namespace: 'default' };

/** A slice of `web` with a backend at each address. */
function slice(name: string, addresses: readonly string[], service = 'web'): KubeObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace: 'default',
      name,
      uid: `uid-${name}`,
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  };
}

function service(name: string, clusterIP: string, spec: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name, uid: `uid-${name}` },
    spec: {
      ...{ clusterIP, clusterIPs: [clusterIP], type: 'ClusterIP' },
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      ...spec,
    },
  };
}

describe('consumers of an API server', function () {
  this.timeout(60_000);

  let api: KubeFixture;
  let link: Link;
  let proxy: TcpProxy;
  let temp: TempDir;
  let kubeconfig: string;
  const programs: Program[] = [];

  beforeEach(async () => {
    // Little history: who is away for more changes than that is told so.
    api = await startKubeFixture({ store: new MemoryStore({ historyEvents: 60 }) });
    link = new Link();
    proxy = await startTcpProxy({ link, target: { host: '127.0.0.1', port: Number(new URL(api.url).port) } });
    temp = await makeTempDir();
    kubeconfig = path.join(temp.path, 'kubeconfig');
    const config = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c' },
      clusters: [
        {
          name: 'c',
          cluster: { server: `http://127.0.0.1:${proxy.port}`, 'insecure-skip-tls-verify': true },
        },
      ],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    };
    await writeFile(kubeconfig, JSON.stringify(config));
  });
  afterEach(async () => {
    await Promise.all(programs.splice(0).map((program) => program.stop()));
    await proxy.stop();
    await api.stop();
    await temp.remove();
  });

  async function put(object: KubeObject): Promise<string> {
    const { namespace = '', name = '' } = object.metadata;
    const key: ObjectKey = {
      ...(object.kind === 'Service' ? { group: '', resource: 'services' } : SLICES),
      namespace,
      name,
    };
    const present = api.store.get(key);
    const entry = await (present === undefined
      ? api.store.create(key, object)
      : api.store.update(key, present.resourceVersion, object));
    return String(entry.resourceVersion);
  }

  async function remove(name: string): Promise<void> {
    const key = { ...SLICES, name };
    await api.store.delete(key, api.store.get(key)?.resourceVersion ?? 0);
  }

  async function lines(): Promise<readonly Line[]> {
    const text = await readFile(path.join(temp.path, 'events'), 'utf8').catch(() => '');
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Line);
  }

  function start(command: string, args: readonly string[]): Program {
    const program = startProgram(command, [
      ...args,
      '--kubeconfig',
      kubeconfig,
      '--events',
      path.join(temp.path, 'events'),
    ]);
    programs.push(program);
    return program;
  }

  async function seen(what: string, condition: (all: readonly Line[]) => boolean): Promise<void> {
    await eventually(what, async () => condition(await lines()), {
      deadlineMs: 20_000,
      intervalMs: 50,
    }).catch(async (error: unknown) => {
      assert.fail(
        `${String(error)}\n${JSON.stringify((await lines()).slice(-20))}\n${programs.map(({ errors }) => errors()).join()}`,
      );
    });
  }

  /** Changes a slice many times, and answers the versions that it had. */
  async function changes(count: number): Promise<readonly string[]> {
    const versions: string[] = [];
    for (let index = 0; index < count; index += 1)
      versions.push(await put(slice('web-a', [`10.1.0.${index}`])));
    return versions;
  }

  it('in JavaScript say each event once, in order, and write their rules', async () => {
    await put(service('web', '10.3.0.1'));
    await put(slice('web-a', ['10.1.0.1']));
    const rules = path.join(temp.path, 'rules');
    start(process.execPath, [fileURLToPath(MAIN), '--ruleset', rules]);
    await seen('the rules are written', (all) => all.some(({ event }) => event === 'applied'));
    assert.match(await readFile(rules, 'utf8'), /dnat to 10\.1\.0\.1:8080/);
    const versions = await changes(50);
    await seen('the last one', (all) =>
      all.some(({ resourceVersion }) => resourceVersion === versions.at(-1)),
    );
    const updates = (await lines()).filter(({ event, key }) => event === 'update' && key === 'default/web-a');
    assert.deepEqual(
      updates.map(({ resourceVersion }) => resourceVersion),
      versions,
    );
    await remove('web-a');
    await seen('it is gone', (all) => all.some(({ event }) => event === 'delete'));
    await eventually('clients are refused', async () =>
      (await readFile(rules, 'utf8')).includes(': goto refuse'),
    );
    assert.deepEqual(
      (await lines()).map(({ seq }) => seq),
      (await lines()).map((_, index) => index + 1),
    );
  });

  it('in JavaScript come back where the API server was away', async () => {
    await put(slice('web-a', ['10.1.0.1']));
    start(process.execPath, [fileURLToPath(MAIN)]);
    await seen('it is in sync', (all) => all.filter(({ event }) => event === 'synced').length === 2);
    await link.cut();
    await seen('it noticed', (all) => all.some(({ event }) => event === 'error'));
    const missed = await put(slice('web-a', ['10.1.0.2']));
    await link.heal();
    const version = await put(slice('web-a', ['10.1.0.3']));
    await seen('what came then', (all) => all.some(({ resourceVersion }) => resourceVersion === version));
    const versions = (await lines()).map(({ resourceVersion }) => resourceVersion);
    assert.equal(versions.filter((one) => one === missed).length, 1, 'what it missed, once');
  });

  it('in Python say each event once, in order', async function () {
    const hasClient =
      findExecutable('python3') !== undefined && (await isThere('/usr/lib/python3/dist-packages/kubernetes'));
    if (!hasClient) this.skip(); // python3-kubernetes is not there
    await put(slice('web-a', ['10.1.0.1']));
    start(PYTHON, [WATCH_PY]);
    await seen('it has listed', (all) => all.some(({ event }) => event === 'list'));
    const [list] = await lines();
    assert.deepEqual(Object.keys(list?.objects ?? {}), ['default/web-a']);
    assert.equal(list?.relists, 0);
    const versions = await changes(50);
    await remove('web-a');
    await seen('the end', (all) => all.some(({ event }) => event === 'DELETED'));
    const modified = (await lines()).filter(({ event }) => event === 'MODIFIED');
    assert.deepEqual(
      modified.map(({ resourceVersion }) => resourceVersion),
      versions,
    );
  });

  it('in Python list again where their version is too old', async function () {
    if (!(await isThere('/usr/lib/python3/dist-packages/kubernetes'))) this.skip(); // python3-kubernetes is not there
    await put(slice('web-a', ['10.1.0.1']));
    start(PYTHON, [WATCH_PY]);
    await seen('it has listed', (all) => all.some(({ event }) => event === 'list'));
    await link.cut();
    await seen('it noticed', (all) => all.some(({ event }) => event === 'error'));
    await changes(100);
    await put(slice('web-b', ['10.1.0.2']));
    await link.heal();
    await seen('it has listed again', (all) => all.some(({ relists }) => relists === 1));
    const again = (await lines()).findLast(({ event }) => event === 'list');
    assert.deepEqual(Object.keys(again?.objects ?? {}).sort(), ['default/web-a', 'default/web-b']);
    const version = await put(slice('web-b', ['10.1.0.3']));
    await seen('it goes on', (all) => all.some(({ resourceVersion }) => resourceVersion === version));
  });

  it('kubectl says each event once, in order', async function () {
    if (findExecutable('kubectl') === undefined) this.skip(); // kubernetes-client is not there
    await put(slice('web-a', ['10.1.0.1']));
    start(process.execPath, [fileURLToPath(KUBECTL_WATCH)]);
    await seen('what was there', (all) => all.some(({ event }) => event === 'add'));
    // What comes between its list and its watch is not lost: wait for the watch by a change.
    const versions = await changes(20);
    await seen('the last one', (all) =>
      all.some(({ resourceVersion }) => resourceVersion === versions.at(-1)),
    );
    const updates = (await lines()).filter(({ event }) => event === 'update');
    assert.deepEqual(
      updates.map(({ resourceVersion }) => resourceVersion),
      versions,
    );
  });

  describe('with rules in a kernel', () => {
    let netns: NetworkNamespace;
    let backends: NodeChild;

    beforeEach(async function () {
      const may = await netnsAvailable();
      if (!may.ok) this.skip(); // it says why where all tests of namespaces are skipped
      netns = await NetworkNamespace.create('proxy');
      const addresses = ['10.1.0.1', '10.1.0.2', '10.1.0.9'];
      await netns.configure([
        ...addresses.map((address) => `addr add ${address}/32 dev lo`),
        'route add 10.3.0.0/16 dev lo src 10.1.0.9',
      ]);
      backends = await netns.startNode({
        script: new URL('./children/backends.js', import.meta.url),
        args: ['10.1.0.1', '10.1.0.2'],
      });
    });
    afterEach(async () => {
      // It may have been skipped.
      await (backends as NodeChild | undefined)?.kill();
      await (netns as NetworkNamespace | undefined)?.close();
    });

    async function call(host: string, port: number, times = 1): Promise<readonly string[]> {
      const script = fileURLToPath(new URL('./children/caller.js', import.meta.url));
      return JSON.parse(
        await netns.exec(process.execPath, [script, host, String(port), String(times)]),
      ) as string[];
    }

    async function becomes(
      what: string,
      condition: (answers: readonly string[]) => boolean,
      at: [string, number, number?],
    ): Promise<void> {
      let last: readonly string[] = [];
      await eventually(what, async () => condition((last = await call(...at))), { deadlineMs: 15_000 }).catch(
        async (error: unknown) =>
          assert.fail(`${String(error)}: ${last.join()} ${JSON.stringify((await lines()).slice(-5))}`),
      );
    }

    it('lead clients to one of two backends, and after its end to the other', async () => {
      await put(
        service('web', '10.3.0.1', {
          type: 'NodePort',
          ports: [{ name: 'http', port: 80, nodePort: 30_080 }],
        }),
      );
      await put(slice('web-a', ['10.1.0.1']));
      await put(slice('web-b', ['10.1.0.2']));
      start(process.execPath, [fileURLToPath(MAIN), '--apply', '--netns', netns.name]);
      await seen('the rules are there', (all) => all.some(({ event }) => event === 'applied'));
      await becomes('both answer', (answers) => new Set(answers).size === 2, ['10.3.0.1', 80, 12]);
      assert.ok((await call('10.1.0.9', 30_080, 4)).every((answer) => answer.startsWith('10.1.0.')));
      await remove('web-a');
      await becomes('one is left', (answers) => answers.every((answer) => answer === '10.1.0.2'), [
        '10.3.0.1',
        80,
        12,
      ]);
      await remove('web-b');
      await becomes('none is left', ([answer]) => answer === 'ECONNREFUSED', ['10.3.0.1', 80]);
      await put(slice('web-c', ['10.1.0.1']));
      await becomes('one is back', ([answer]) => answer === '10.1.0.1', ['10.3.0.1', 80]);
      assert.deepEqual(
        (await lines()).filter(({ event }) => event === 'apply-failed'),
        [],
      );
    });

    it('keep a client at its backend, while that is there, over changes of others', async () => {
      await put(service('web', '10.3.0.1', { sessionAffinity: 'ClientIP' }));
      await put(service('other', '10.3.0.2'));
      await put(slice('web-a', ['10.1.0.1', '10.1.0.2']));
      start(process.execPath, [fileURLToPath(MAIN), '--apply', '--netns', netns.name]);
      await becomes('it answers', ([answer]) => answer?.startsWith('10.1.0.') === true, ['10.3.0.1', 80]);
      const [first = ''] = await call('10.3.0.1', 80);
      await put(slice('other-a', ['10.1.0.1'], 'other'));
      await becomes('the other one answers', ([answer]) => answer === '10.1.0.1', ['10.3.0.2', 80]);
      const answers = await call('10.3.0.1', 80, 10);
      assert.deepEqual(new Set(answers), new Set([first]));
      const second = first === '10.1.0.1' ? '10.1.0.2' : '10.1.0.1';
      await put(slice('web-a', [second]));
      await becomes('it goes to the one that is left', ([answer]) => answer === second, ['10.3.0.1', 80]);
    });
  });
});

async function isThere(file: string): Promise<boolean> {
  const { access } = await import('node:fs/promises');
  return await access(file).then(
    () => true,
    () => false,
  );
}
