import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { silentLogger } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { NodePorts } from '../../src/kubelet-endpoint/node-ports.ts';

const RANGE = { first: 23_000, last: 23_015 };

describe('ports of nodes', () => {
  const sockets: Socket[] = [];
  let ports: NodePorts;

  const make = (): NodePorts =>
    new NodePorts({
      host: '127.0.0.1',
      range: RANGE,
      log: silentLogger,
      onSocket: (socket) => sockets.push(socket),
    });
  beforeEach(() => (ports = make()));
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await ports.stop();
  });

  it('are one for each node, the same after a restart', async () => {
    const first = await Promise.all(['a', 'b', 'c', 'a'].map((node) => ports.open(node)));
    assert.equal(first[0], first[3]);
    assert.equal(new Set(first).size, 3);
    assert.equal(ports.size, 3);
    for (const [index, node] of ['a', 'b', 'c'].entries()) assert.equal(ports.nodeOf(first[index]), node);
    await ports.stop();
    ports = make();
    assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((node) => ports.open(node))), first.slice(0, 3));
  });

  it('pass over those that others have', async () => {
    const [wanted = 0] = [await ports.open('a')];
    await ports.stop();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(wanted, '127.0.0.1', resolve));
    ports = make();
    const found = await ports.open('a');
    assert.ok(found !== undefined && found !== wanted && found >= RANGE.first && found <= RANGE.last);
    await new Promise((resolve) => other.close(resolve));
  });

  it('are all used before a node gets none, and one that is given back is used again', async () => {
    const names = Array.from({ length: 16 }, (_, index) => `node-${index}`);
    const found = await Promise.all(names.map((node) => ports.open(node)));
    assert.equal(new Set(found).size, 16);
    assert.equal(await ports.open('one-more'), undefined);
    assert.equal(ports.size, 16);
    await ports.close('node-7');
    assert.equal(await ports.open('one-more'), found[7]);
  });

  it('take connections, and tell for whom', async () => {
    const port = (await ports.open('a')) ?? 0;
    const client = connect(port, '127.0.0.1');
    await eventually('a connection', () => sockets.length === 1);
    assert.equal(ports.nodeOf(sockets[0]?.localPort), 'a');
    client.destroy();
  });
});
