import assert from 'node:assert/strict';
import { kubeletFacts, saysKubelet, withKubelet } from '../../src/cluster/node-kubelet.ts';

const EDGE = {
  addresses: [
    { type: 'InternalIP', address: '10.0.0.5' },
    { type: 'InternalIP', address: 'fd00::5' },
    { type: 'Hostname', address: 'edge-1' },
  ],
  capacity: { cpu: '4' },
};
const HUB = { address: '192.0.2.1', port: 12_345, addressTypes: ['Hostname'] };

describe('where a kubelet is, in the status of a Node', () => {
  it('is laid over what the edge says of its addresses', () => {
    const status = withKubelet(EDGE, HUB);
    assert.deepEqual(status, {
      capacity: { cpu: '4' },
      addresses: [...EDGE.addresses.slice(0, 2), { type: 'Hostname', address: '192.0.2.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: 12_345 } },
    });
    assert.ok(saysKubelet(kubeletFacts(status), HUB));
    assert.ok(!saysKubelet(kubeletFacts(EDGE), HUB));
    assert.ok(!saysKubelet(kubeletFacts(status), { ...HUB, port: 1 }));
  });

  it("stands before the edge's own addresses, where API servers look for those", () => {
    const wanted = { ...HUB, addressTypes: ['InternalIP', 'ExternalDNS'] };
    const status = withKubelet(EDGE, wanted);
    assert.deepEqual(status['addresses'], [
      { type: 'InternalIP', address: '192.0.2.1' },
      { type: 'InternalIP', address: '10.0.0.5' },
      { type: 'InternalIP', address: 'fd00::5' },
      { type: 'Hostname', address: 'edge-1' },
      { type: 'ExternalDNS', address: '192.0.2.1' },
    ]);
    assert.ok(saysKubelet(kubeletFacts(status), wanted));
  });

  it('is the same when it is laid over itself', () => {
    for (const addressTypes of [['Hostname'], ['InternalIP', 'Hostname'], ['ExternalIP']]) {
      const wanted = { ...HUB, addressTypes };
      const once = withKubelet(EDGE, wanted);
      assert.deepEqual(withKubelet(once, wanted), once);
    }
  });

  it('is left alone without a hub that says so, and read from whatever is there', () => {
    assert.equal(withKubelet(EDGE, undefined), EDGE);
    assert.deepEqual(kubeletFacts({}), { addresses: {}, port: 0 });
    assert.deepEqual(kubeletFacts({ addresses: 'no', daemonEndpoints: { kubeletEndpoint: { Port: 'x' } } }), {
      addresses: {},
      port: 0,
    });
    assert.deepEqual(withKubelet({}, HUB)['addresses'], [{ type: 'Hostname', address: '192.0.2.1' }]);
  });
});
