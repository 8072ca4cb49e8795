import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { eventually, within } from '@hawser/seams/testing';
import {
  createNetnsPair,
  interfaceCounters,
  ipDifference,
  netnsAvailable,
  removeStaleNamespaces,
  startNode,
  type NetnsPair,
  type NodeChild,
} from '../../src/index.ts';
import type { Order } from './children/datagrams.ts';

const datagrams = new URL('children/datagrams.js', import.meta.url);
const namespaceExists = (name: string): boolean => existsSync(`/run/netns/${name}`);

interface Ports {
  udpPort: number;
  tcpPort: number;
}

describe('interfaceCounters', () => {
  it('counts what passes the loopback interface at IP level', async function () {
    if (process.platform !== 'linux') this.skip();
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const before = await interfaceCounters();
    socket.send(Buffer.alloc(50_000), socket.address().port, '127.0.0.1');
    await within('its arrival', once(socket, 'message'));
    socket.close();
    const { sent, received } = ipDifference(before, await interfaceCounters());
    // Others may use it, too.
    assert.ok(sent.bytes >= 50_028 && sent.packets >= 1, `${sent.bytes} in ${sent.packets}`);
    assert.ok(received.bytes >= 50_028 && received.packets >= 1);
  });
});

describe('NetnsPair', function () {
  this.timeout(20_000);
  let pair: NetnsPair;
  let edge: NodeChild;
  let cloud: NodeChild;

  before(async function () {
    const available = await netnsAvailable();
    if (available.ok) return;
    console.log(`    skipped: ${available.reason}`);
    this.skip();
  });

  beforeEach(async () => {
    pair = await createNetnsPair({ congestionControl: 'reno' });
    [edge, cloud] = await Promise.all([
      pair.edge.startNode({ script: datagrams }),
      pair.cloud.startNode({ script: datagrams }),
    ]);
  });

  afterEach(() => pair.close());

  const ports = (child: NodeChild): Ports => child.ready as Ports;

  async function order<T>(child: NodeChild, wanted: Order): Promise<T> {
    await child.send(wanted);
    return (await child.message(undefined, 15_000)) as T;
  }

  async function sendDatagrams(count: number, bytes: number): Promise<void> {
    const { udpPort: port } = ports(cloud);
    await order(edge, { kind: 'datagrams', address: pair.cloud.address, port, count, bytes });
  }

  async function arrivedDatagrams(): Promise<number> {
    return (await order<{ datagrams: number }>(cloud, { kind: 'count' })).datagrams;
  }

  function sendStream(bytes: number): Promise<{ arrived: number; ms: number }> {
    const { tcpPort: port } = ports(cloud);
    return order(edge, { kind: 'stream', address: pair.cloud.address, port, bytes });
  }

  it('loses about as many packets as it was told to, and counts them', async () => {
    await pair.cloud.setLoss(0.1);
    await sendDatagrams(4000, 100);
    let arrived = 0;
    await eventually('all have arrived or are lost', async () => {
      arrived = await arrivedDatagrams();
      return arrived + (await pair.cloud.lostPackets()) === 4000;
    });
    assert.ok(Math.abs(arrived - 3600) < 120, `${arrived} of 4000 arrived`);
    await pair.cloud.setLoss(0);
    await sendDatagrams(500, 100);
    await eventually('nothing is lost any more', async () => (await arrivedDatagrams()) === arrived + 500);
    await pair.cloud.setLoss(1);
    await sendDatagrams(10, 100);
    await eventually('all is lost', async () => (await pair.cloud.lostPackets()) === 10);
    await assert.rejects(pair.cloud.setLoss(1.5), { code: 'ERR_E2E_BAD_OPTION' });
  });

  it('counts bytes at IP level exactly, and an idle line has none', async () => {
    const sent = await pair.edge.countBytes(() => sendDatagrams(300, 100));
    assert.deepEqual(sent, { sent: { bytes: 300 * 128, packets: 300 }, received: { bytes: 0, packets: 0 } });
    const { received } = await pair.cloud.counters();
    assert.deepEqual(received, { bytes: 300 * 128, packets: 300 });
  });

  it('counts the loopback interface of a namespace exactly, too', async () => {
    const { udpPort: port } = ports(edge);
    const passed = await pair.edge.namespace.countBytes('lo', async () => {
      await order(edge, { kind: 'datagrams', address: '127.0.0.1', port, count: 50, bytes: 100 });
    });
    const traffic = { bytes: 50 * 128, packets: 50 };
    assert.deepEqual(passed, { sent: traffic, received: traffic });
  });

  it('carries a stream as packets of a real size, through loss, too', async () => {
    const bytes = 2_000_000;
    await pair.cloud.setLoss(0.01);
    let arrived = 0;
    const { sent } = await pair.edge.countBytes(async () => {
      ({ arrived } = await sendStream(bytes));
    });
    assert.equal(arrived, bytes);
    const lost = await pair.cloud.lostPackets();
    assert.ok(lost > 2 && lost < 60, `${lost} lost`);
    assert.ok(sent.packets >= bytes / 1448 + lost, `${sent.packets} packets`);
    assert.ok(sent.bytes / sent.packets <= 1500);
  });

  it('limits the bandwidth of one side', async () => {
    await pair.edge.shape({ bitsPerSecond: 20e6 });
    await sendStream(100_000); // the bucket is empty after it
    const { ms } = await sendStream(1_500_000);
    const megabits = (1_500_000 * 8 * (1514 / 1448)) / 1000 / ms;
    assert.ok(megabits > 17 && megabits < 21.5, `${megabits} Mbit/s`);
    await pair.edge.shape({});
    assert.ok((await sendStream(1_500_000)).ms < ms / 2);
  });

  it('delays, where the kernel can', async () => {
    const available = await netnsAvailable();
    if (available.ok && available.netem) {
      await pair.edge.shape({ delayMs: 50 });
      assert.ok((await sendStream(1)).ms >= 100);
    } else {
      await assert.rejects(pair.edge.shape({ delayMs: 50 }), { code: 'ERR_E2E_UNAVAILABLE' });
    }
  });

  it('uses the congestion control that was asked for', async () => {
    const routes = await pair.edge.namespace.exec('ip', ['route']);
    assert.match(routes, /congctl reno/);
  });

  it('removes all when closed, with what runs inside', async () => {
    const names = [pair.edge.namespace.name, pair.cloud.namespace.name];
    assert.deepEqual(names.map(namespaceExists), [true, true]);
    await Promise.all([pair.close(), pair.close()]);
    assert.deepEqual(names.map(namespaceExists), [false, false]);
    assert.equal((await within('the exit', edge.exited)).signal, 'SIGKILL');
    assert.equal((await within('the exit', cloud.exited)).signal, 'SIGKILL');
    await pair.close();
  });

  it('is removed at exit, and after a crash by the next run', async () => {
    const script = new URL('children/crasher.js', import.meta.url);
    const leaver = await startNode({ script });
    const left = leaver.ready as string[];
    await leaver.send('exit');
    await leaver.exited;
    assert.deepEqual(left.map(namespaceExists), [false, false]);

    const crasher = await startNode({ script });
    const crashed = crasher.ready as string[];
    await crasher.kill();
    assert.deepEqual(crashed.map(namespaceExists), [true, true]);
    const removed = await removeStaleNamespaces();
    assert.ok(crashed.every((name) => removed.includes(name)));
    assert.deepEqual(crashed.map(namespaceExists), [false, false]);
    assert.ok(namespaceExists(pair.edge.namespace.name), 'those of the living stay');
  });
});
