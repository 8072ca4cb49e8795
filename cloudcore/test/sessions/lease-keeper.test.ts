import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { HttpApiClient, serviceUnavailable } from '@hawser/kube';
import { eventually, FakeClock, within } from '@hawser/seams/testing';
import { startLeaseServer, type LeaseServer } from './lease-server.ts';

const NODE = 'edge-1';
const REPLICA = 'hawser.dev/replica';
const EPOCH = 'hawser.dev/session-epoch';

describe('leases of connected nodes', () => {
  let server: LeaseServer;

  beforeEach(async () => {
    server = await startLeaseServer();
  });

  afterEach(() => server.stop());

  const renewals = (node: string): string =>
    server.kube.store
      .list({ group: 'coordination.k8s.io', resource: 'leases' })
      .entries.filter(({ key }) => key.name === node)
      .map(({ resourceVersion }) => String(resourceVersion))
      .join();

  async function renewed(node: string): Promise<void> {
    const before = renewals(node);
    await eventually(`the lease of ${node} is renewed`, () => renewals(node) !== before);
  }

  describe('epochs', () => {
    it('begin above what the edge has seen, in a lease like a kubelet makes', async () => {
      const { keeper, client } = server.replica('a');
      assert.equal(await keeper.epochs.next(NODE, 41), 42);
      assert.deepEqual(
        client.calls.map((call) => call.split(' ')[0]),
        ['GET', 'POST'],
      );
      const { metadata, spec } = await server.lease(NODE);
      assert.deepEqual(metadata.annotations, { [REPLICA]: 'a', [EPOCH]: '42' });
      assert.equal(spec?.holderIdentity, NODE);
      assert.equal(spec.leaseDurationSeconds, 40);
      assert.ok(Math.abs(Date.parse(spec.renewTime ?? '') - Date.now()) < 5000);
    });

    it('grow over replicas and restarts, with one reading and one write', async () => {
      const a = server.replica('a');
      const b = server.replica('b');
      assert.equal(await a.keeper.epochs.next(NODE, 0), 1);
      assert.equal(await b.keeper.epochs.next(NODE, 0), 2);
      assert.equal(await server.replica('c').keeper.epochs.next(NODE, 0), 3);
      b.client.calls.length = 0;
      assert.equal(await b.keeper.epochs.next(NODE, 2), 4);
      assert.deepEqual(
        b.client.calls.map((call) => call.split(' ')[0]),
        ['PUT', 'GET', 'PUT'],
      );
      b.client.calls.length = 0;
      assert.equal(await b.keeper.epochs.next(NODE, 4), 5);
      assert.deepEqual(
        b.client.calls.map((call) => call.split(' ')[0]),
        ['PUT'],
      );
    });

    it('differ though many are asked for at once, at several replicas', async () => {
      const replicas = ['a', 'b', 'c'].map((name) => server.replica(name).keeper);
      const asked = replicas.flatMap((keeper) => [1, 2].map(() => keeper.epochs.next(NODE, 0)));
      const epochs = await Promise.all(asked);
      assert.equal(new Set(epochs).size, epochs.length, epochs.join());
      assert.equal((await server.annotations(NODE))[EPOCH], String(Math.max(...epochs)));
    });

    it('are not led astray by what cannot be one', async () => {
      const metadata = { namespace: 'kube-node-lease', name: NODE, annotations: { [EPOCH]: '9'.repeat(30) } };
      await server.leases.create({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: {} });
      assert.equal(await server.replica('a').keeper.epochs.next(NODE, 6), 7);
    });

    it('are given without the API server, and written as soon as it is back', async () => {
      const { keeper, client, registry } = server.replica('a');
      client.before = () => Promise.reject(serviceUnavailable('away'));
      assert.equal(await keeper.epochs.next(NODE, 7), 8);
      const tried = client.calls.length;
      assert.equal(await keeper.epochs.next('edge-2', 0), 1);
      assert.equal(client.calls.length, tried, 'not asked again at once');
      keeper.hold(NODE, 8);
      await eventually('it tries', () => client.calls.length > tried);
      client.before = () => {};
      await eventually('the lease is written', () => renewals(NODE) !== '');
      assert.equal((await server.annotations(NODE))[EPOCH], '8');
      const given = await registry.getSingleMetric('hawser_lease_epochs_total')?.get();
      assert.deepEqual(
        given?.values.map(({ labels, value }) => [labels, value]),
        [[{ from: 'memory' }, 2]],
      );
    });

    it('of other nodes are not touched by a lease that somebody keeps writing', async () => {
      const { keeper, client } = server.replica('a');
      assert.equal(await keeper.epochs.next(NODE, 0), 1);
      let n = 0;
      client.before = async ({ method, path }) => {
        if (method !== 'PUT' || !path.endsWith(NODE)) return;
        n += 1;
        await server.leases.patch('kube-node-lease', NODE, 'merge', {
          metadata: { labels: { n: String(n) } },
        });
      };
      assert.ok((await keeper.epochs.next(NODE, 1)) > 1);
      assert.equal(n, 5);
      assert.equal(await keeper.epochs.next('edge-2', 6), 7);
      assert.equal((await server.annotations('edge-2'))[EPOCH], '7');
    });

    it('do not wait for an API server that does not answer', async () => {
      const sockets = new Set<Socket>();
      const silent = createServer((socket) => sockets.add(socket));
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const { port } = silent.address() as AddressInfo; // it listens on a port
      const client = new HttpApiClient({ server: `http://127.0.0.1:${port}` });
      const { keeper } = server.replica('a', { client, intervalMs: 50 });
      try {
        assert.equal(await within('an epoch', keeper.epochs.next(NODE, 1), 2000), 2);
        assert.ok(sockets.size > 0);
        const started = performance.now();
        assert.equal(await keeper.epochs.next(NODE, 2), 3);
        assert.ok(performance.now() - started < 40, 'it was asked again at once');
      } finally {
        client.close();
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => silent.close(resolve));
      }
    });
  });

  describe('renewals', () => {
    it('go on while the session is held, and no longer', async () => {
      const { keeper, client } = server.replica('a');
      const release = keeper.hold(NODE, await keeper.epochs.next(NODE, 0));
      await renewed(NODE);
      await renewed(NODE);
      assert.deepEqual(await server.annotations(NODE), { [REPLICA]: 'a', [EPOCH]: '1' });
      assert.ok(client.writes.length > 2);
      assert.equal(client.calls.filter((call) => call.startsWith('GET ')).length, 1);
      release();
      assert.equal(keeper.held, 0);
      // Another node's renewals tell that time goes on.
      keeper.hold('other', 1);
      const after = client.calls.length;
      await eventually('others are renewed', () => client.calls.length > after + 4);
      const late = client.calls.slice(after).filter((call) => call.endsWith(NODE));
      assert.ok(late.length <= 1, late.join());
      assert.equal((await server.lease(NODE)).spec?.holderIdentity, NODE);
    });

    it('keep what others have put into the lease', async () => {
      const { keeper } = server.replica('a');
      keeper.hold(NODE, await keeper.epochs.next(NODE, 0));
      const body = {
        metadata: { labels: { l: 'x' }, annotations: { other: 'y' } },
        spec: { leaseTransitions: 3 },
      };
      await server.leases.patch('kube-node-lease', NODE, 'merge', body);
      await renewed(NODE);
      const { metadata, spec } = await server.lease(NODE);
      assert.deepEqual(metadata.labels, { l: 'x' });
      assert.deepEqual(metadata.annotations, { other: 'y', [REPLICA]: 'a', [EPOCH]: '1' });
      assert.equal(spec?.leaseTransitions, 3);
    });

    it('give the lease to the Node once there is one, and to the next one', async () => {
      let uid: string | undefined;
      const { keeper } = server.replica('a', { nodeUid: () => uid });
      keeper.hold(NODE, await keeper.epochs.next(NODE, 0));
      await renewed(NODE);
      assert.equal((await server.lease(NODE)).metadata.ownerReferences, undefined);
      for (const next of ['one', 'two']) {
        uid = next;
        await renewed(NODE);
        await renewed(NODE);
        assert.deepEqual((await server.lease(NODE)).metadata.ownerReferences, [
          { apiVersion: 'v1', kind: 'Node', name: NODE, uid },
        ]);
      }
    });

    it('make the lease again when somebody has removed it', async () => {
      const { keeper } = server.replica('a');
      keeper.hold(NODE, await keeper.epochs.next(NODE, 0));
      await renewed(NODE);
      await server.leases.delete('kube-node-lease', NODE);
      await eventually('the lease is back', () => renewals(NODE) !== '');
      assert.deepEqual(await server.annotations(NODE), { [REPLICA]: 'a', [EPOCH]: '1' });
    });

    it('go on after the API server was away', async () => {
      const { keeper, client, registry } = server.replica('a');
      keeper.hold(NODE, await keeper.epochs.next(NODE, 0));
      let failed = 0;
      client.before = () => {
        failed += 1;
        return Promise.reject(serviceUnavailable('away'));
      };
      await eventually('it tries again', () => failed >= 3);
      client.before = () => {};
      await renewed(NODE);
      assert.equal(keeper.held, 1);
      const counted = await registry.getSingleMetric('hawser_lease_renewals_total')?.get();
      const value = counted?.values.find(({ labels }) => labels['result'] === 'failed')?.value;
      assert.ok((value ?? 0) >= 3);
    });
  });

  describe('fencing', () => {
    it('ends the session that a newer one elsewhere has replaced', async () => {
      const a = server.replica('a');
      const b = server.replica('b');
      a.keeper.hold(NODE, await a.keeper.epochs.next(NODE, 0));
      b.keeper.hold(NODE, await b.keeper.epochs.next(NODE, 1));
      await eventually('a is fenced', () => a.fenced.length > 0);
      assert.deepEqual(a.fenced, [`${NODE}@1`]);
      assert.equal(a.keeper.held, 0);
      await renewed(NODE);
      assert.deepEqual(b.fenced, []);
      assert.deepEqual(await server.annotations(NODE), { [REPLICA]: 'b', [EPOCH]: '2' });
    });

    it('notices before a write that a newer session is elsewhere, though no renewal is due', async () => {
      const clock = new FakeClock();
      const a = server.replica('a', { clock, intervalMs: 600_000 });
      const b = server.replica('b');
      const { signal } = new AbortController();
      a.keeper.hold(NODE, await a.keeper.epochs.next(NODE, 0));
      assert.equal(await a.keeper.confirm(NODE, 1, signal), true);
      const gets = (): number => a.client.calls.length - a.client.writes.length;
      const reads = gets();
      await clock.advance(3000);
      assert.deepEqual(await Promise.all([1, 2].map(() => a.keeper.confirm(NODE, 1, signal))), [true, true]);
      assert.equal(gets() - reads, 1, 'those who ask together share the answer');
      b.keeper.hold(NODE, await b.keeper.epochs.next(NODE, 1));
      await clock.advance(3000);
      assert.equal(await a.keeper.confirm(NODE, 1, signal), false);
      assert.deepEqual(a.fenced, [`${NODE}@1`]);
      assert.equal(await a.keeper.confirm(NODE, 1, signal), false);
      assert.equal(await b.keeper.confirm(NODE, 2, signal), true);
    });

    it('does not mistake a lost race for a newer session', async () => {
      const { keeper, fenced, client } = server.replica('a');
      let raced = 0;
      keeper.hold(NODE, await keeper.epochs.next(NODE, 0));
      client.before = async ({ method }) => {
        if (method !== 'PUT' || raced >= 3) return;
        raced += 1;
        await server.leases.patch('kube-node-lease', NODE, 'merge', {
          metadata: { labels: { r: String(raced) } },
        });
      };
      await eventually('there were races', () => raced === 3);
      await renewed(NODE);
      assert.deepEqual(fenced, []);
      assert.equal(keeper.held, 1);
    });

    it('finds the higher epoch that was given while the API server was away', async () => {
      const a = server.replica('a');
      const b = server.replica('b');
      for (let n = 0; n < 9; n += 1) await b.keeper.epochs.next(NODE, n);
      // An edge that has lost its state, at a replica without the API server.
      a.client.before = () => Promise.reject(serviceUnavailable('away'));
      const epoch = await a.keeper.epochs.next(NODE, 0);
      assert.equal(epoch, 1);
      a.client.before = () => {};
      a.keeper.hold(NODE, epoch);
      await eventually('it is fenced', () => a.fenced.includes(`${NODE}@1`));
      // The pause after a failure may not be over: then it is the edge that says it again.
      assert.ok((await a.keeper.epochs.next(NODE, 9)) >= 10);
    });

    it('leaves one of two that got the same epoch, the later one', async () => {
      const a = server.replica('a');
      const b = server.replica('b');
      const away = (): Promise<void> => Promise.reject(serviceUnavailable('away'));
      a.client.before = away;
      b.client.before = away;
      const first = await a.keeper.epochs.next(NODE, 4);
      a.keeper.hold(NODE, first);
      const before = Date.now();
      await eventually('time goes on', () => Date.now() > before + 2);
      const second = await b.keeper.epochs.next(NODE, 4);
      b.keeper.hold(NODE, second);
      assert.equal(first, second);
      b.client.before = () => {};
      a.client.before = () => {};
      await eventually('a is fenced', () => a.fenced.length > 0);
      await renewed(NODE);
      assert.deepEqual(b.fenced, []);
      assert.equal((await server.annotations(NODE))[REPLICA], 'b');
    });

    it('of a session by the next one of the same replica takes nothing from that', async () => {
      const { keeper } = server.replica('a');
      const release = keeper.hold(NODE, await keeper.epochs.next(NODE, 0));
      keeper.hold(NODE, await keeper.epochs.next(NODE, 1));
      release();
      assert.equal(keeper.held, 1);
      await renewed(NODE);
      await renewed(NODE);
      assert.equal(keeper.held, 1);
      assert.equal((await server.annotations(NODE))[EPOCH], '2');
    });
  });

  it('stay when the hub stops', async () => {
    const { keeper, client } = server.replica('a');
    keeper.hold(NODE, await keeper.epochs.next(NODE, 0));
    await renewed(NODE);
    await keeper.stop();
    await keeper.stop();
    keeper.hold('late', 1);
    const calls = client.calls.length;
    assert.equal((await server.lease(NODE)).spec?.holderIdentity, NODE);
    assert.equal(client.calls.length, calls);
    assert.equal(client.underWay, 0);
  });
});
