import assert from 'node:assert/strict';
import { isPlainObject, ResourceClient, RESOURCES } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { FakeEdge } from '../../testing/fake-edge.ts';
import { EndpointSite } from './endpoint-site.ts';

const WAIT = { deadlineMs: 15_000 };

describe('the address of a kubelet in its Node', () => {
  let site: EndpointSite;

  beforeEach(async () => {
    site = await EndpointSite.open({ advertise: 'hub-0.test' });
  });
  afterEach(() => site.close());

  const hostname = async (node: string): Promise<unknown> => {
    const status = (await site.getNode(node))['status'];
    const addresses = isPlainObject(status) && Array.isArray(status['addresses']) ? status['addresses'] : [];
    return addresses.filter(isPlainObject).find(({ type }) => type === 'Hostname')?.['address'];
  };
  const version = async (node: string): Promise<string | undefined> =>
    (await site.getNode(node)).metadata.resourceVersion;

  it('is written once, and not again when the edge comes back', async () => {
    const edge = await site.edge('edge-1');
    assert.equal(await hostname('edge-1'), 'hub-0.test');
    assert.equal(await site.metric('hawser_kubelet_addresses_written_total'), 1);
    const before = await version('edge-1');
    for (let round = 0; round < 3; round++) await edge.connect();
    // What is looked at after a change waits 3 s; nothing has changed.
    await eventually('all sessions are looked at', () => site.core.nodes.includes('edge-1'), WAIT);
    assert.equal(await version('edge-1'), before);
    assert.equal(await site.metric('hawser_kubelet_addresses_written_total'), 1);
  });

  it('is that of the replica which has the latest session', async () => {
    const edge = await site.edge('edge-1');
    const port = await site.port('edge-1');
    const second = await site.hub({ advertise: 'hub-1.test' });
    // The first replica has not noticed yet that its session is over: the edge has just gone.
    const roamed = new FakeEdge(second.websocketPort, await site.credentials('edge-1'), 'edge-1');
    site.edges.push(roamed);
    await roamed.connect();
    await eventually(
      'the second is in the Node',
      async () => (await hostname('edge-1')) === 'hub-1.test',
      WAIT,
    );
    assert.notEqual(await site.port('edge-1'), port, 'on one machine two replicas have no port in common');
    await eventually('the first has noticed', () => !site.core.nodes.includes('edge-1'), WAIT);
    await edge.disconnect();
    assert.equal(await hostname('edge-1'), 'hub-1.test');
    assert.equal(await site.metric('hawser_kubelet_addresses_written_total'), 1, 'the first wrote no more');
    await roamed.disconnect();
    await edge.connect();
    await eventually(
      'the first is in the Node again',
      async () => (await hostname('edge-1')) === 'hub-0.test',
      WAIT,
    );
    assert.equal(await site.port('edge-1'), port);
  });

  it('is written again when somebody else has written another one', async () => {
    await site.edge('edge-1');
    const nodes = new ResourceClient(site.api, RESOURCES.nodes);
    const node = await site.getNode('edge-1');
    const status = isPlainObject(node['status']) ? node['status'] : {};
    const addresses = [{ type: 'Hostname', address: 'elsewhere' }];
    await nodes.update({ ...node, status: { ...status, addresses } }, { subresource: 'status' });
    await eventually('it is back', async () => (await hostname('edge-1')) === 'hub-0.test', WAIT);
  });

  it('goes with the Node: the port is given back when it is deleted and the edge is away', async () => {
    const edge = await site.edge('edge-1');
    assert.equal(await site.metric('hawser_kubelet_ports'), 1);
    await edge.disconnect();
    await eventually('it is away', () => site.core.nodes.length === 0);
    assert.equal(await site.metric('hawser_kubelet_ports'), 1);
    await new ResourceClient(site.api, RESOURCES.nodes).delete('', 'edge-1');
    await eventually(
      'its port is closed',
      async () => (await site.metric('hawser_kubelet_ports')) === 0,
      WAIT,
    );
  });
});
