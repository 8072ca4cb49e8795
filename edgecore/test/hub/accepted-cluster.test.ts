import assert from 'node:assert/strict';
import { ClusterGuard } from '@hawser/sync';
import { StoredAcceptedCluster } from '../../src/hub/accepted-cluster.ts';
import { parseHubAddress } from '../../src/hub/hub-address.ts';
import { MemoryState } from './memory-state.ts';

describe('the cluster that a node has accepted', () => {
  const one = { clusterUid: 'one', incarnation: '1' };
  const two = { clusterUid: 'two', incarnation: '1' };

  it('is the first one, and stays so over restarts', async () => {
    const state = new MemoryState();
    assert.equal(new StoredAcceptedCluster(state, 'one').load(), undefined);
    assert.deepEqual(await new ClusterGuard(new StoredAcceptedCluster(state, 'one')).judge(one), {
      go: true,
    });
    assert.deepEqual(new StoredAcceptedCluster(state, 'one').load(), one);
    const verdict = await new ClusterGuard(new StoredAcceptedCluster(state, 'one')).judge(two);
    assert.equal(verdict.go, false);
  });

  it('is open again once the node has joined another one', async () => {
    const state = new MemoryState();
    await new StoredAcceptedCluster(state, 'one').save(one);
    assert.equal(new StoredAcceptedCluster(state, 'two').load(), undefined);
    assert.deepEqual(await new ClusterGuard(new StoredAcceptedCluster(state, 'two')).judge(two), {
      go: true,
    });
    assert.deepEqual(new StoredAcceptedCluster(state, 'two').load(), two);
  });

  it('is what an operator said, although the node had joined another', async () => {
    const state = new MemoryState();
    await new StoredAcceptedCluster(state, 'one').save(one);
    await new StoredAcceptedCluster(state, 'one').save(two);
    assert.deepEqual(new StoredAcceptedCluster(state, 'one').load(), two);
  });

  it('stays where it is not known any more what was joined', async () => {
    const state = new MemoryState();
    await new StoredAcceptedCluster(state, 'one').save(one);
    assert.deepEqual(new StoredAcceptedCluster(state, undefined).load(), one);
  });
});

describe('addresses of hubs', () => {
  it('have the default port where none is said', () => {
    assert.deepEqual(parseHubAddress('hub.example'), { host: 'hub.example', port: 10_000 });
    assert.deepEqual(parseHubAddress('192.0.2.1:443'), { host: '192.0.2.1', port: 443 });
    assert.deepEqual(parseHubAddress('[2001:db8::1]'), { host: '2001:db8::1', port: 10_000 });
    assert.deepEqual(parseHubAddress('[2001:db8::1]:443'), { host: '2001:db8::1', port: 443 });
    assert.throws(() => parseHubAddress(''), TypeError);
  });
});
