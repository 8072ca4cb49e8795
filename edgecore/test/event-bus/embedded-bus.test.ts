import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { seededRandom } from '@hawser/seams';
import { Registry } from '@hawser/seams/metrics';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { generate } from 'mqtt-packet';
import { busMetrics } from '../../src/event-bus/bus-metrics.ts';
import type { BusMessage } from '../../src/event-bus/event-bus.ts';
import { givenBus, type GivenBus } from './given-bus.ts';

describe('embedded event bus', () => {
  let given: GivenBus;
  let dir: TempDir;
  before(async () => {
    dir = await makeTempDir();
    given = await givenBus(dir.path);
  });
  after(async () => {
    await given.end();
    await dir.remove();
  });

  it('takes a message of a mapper to the edge core, with its sender', async () => {
    const heard: BusMessage[] = [];
    const end = given.bus.subscribe('$hw/events/device/+/+/twin/update', (message) => {
      heard.push(message);
    });
    const client = await given.client('modbus');
    await client.publishAsync('$hw/events/device/factory/pump/twin/update', '{"a":1}', { qos: 1 });
    assert.equal(heard.length, 1);
    assert.equal(heard[0]?.client?.name, 'modbus');
    assert.equal(Buffer.from(heard[0].payload).toString(), '{"a":1}');
    end();
    await client.publishAsync('$hw/events/device/factory/pump/twin/update', '{"a":2}', { qos: 1 });
    assert.equal(heard.length, 1);
  });

  it('takes retained messages of the edge core to mappers that come later, of their protocol only', async () => {
    await given.bus.publish('$hw/events/mapper/modbus/devices/factory/pump', 'pump', { retain: true });
    await given.bus.publish('$hw/events/mapper/bluetooth/devices/factory/thermo', 'thermo', { retain: true });
    const client = await given.client('modbus');
    const heard: string[] = [];
    client.on('message', (topic, payload) => heard.push(`${topic} ${payload.toString()}`));
    await client.subscribeAsync('$hw/events/mapper/modbus/#', { qos: 1 });
    await given.bus.publish('$hw/events/mapper/modbus/desired/factory/pump', 'on');
    await eventually('both messages', () => heard.length === 2);
    assert.deepEqual(heard, [
      '$hw/events/mapper/modbus/devices/factory/pump pump',
      '$hw/events/mapper/modbus/desired/factory/pump on',
    ]);
    await assert.rejects(client.subscribeAsync('$hw/events/mapper/bluetooth/#', { qos: 1 }));
    await assert.rejects(client.subscribeAsync('#', { qos: 1 }));
  });

  it('takes packets of any size in any pieces, in order', async () => {
    const random = seededRandom(5);
    const sizes = Array.from({ length: 150 }, (_, n) =>
      Math.floor(random.next() * (n % 5 === 0 ? 200_000 : 300)),
    );
    const heard: number[] = [];
    const end = given.bus.subscribe('app/sizes', ({ payload }) => void heard.push(payload.length));
    const client = await given.client('all');
    await Promise.all(sizes.map((size) => client.publishAsync('app/sizes', Buffer.alloc(size), { qos: 1 })));
    assert.deepEqual(heard, sizes);
    const bytes = Buffer.concat([
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        clientId: 'all/pieces',
        keepalive: 60,
        username: 'all',
        password: Buffer.from('secret-of-all'),
      }),
      ...sizes.slice(0, 20).map((size) => publishPacket(size)),
    ]);
    heard.length = 0;
    const socket = connect(Number(new URL(given.bus.url).port), '127.0.0.1');
    socket.resume();
    for (let at = 0; at < bytes.length;) {
      const length =
        random.next() < 0.5 ? 1 + Math.floor(random.next() * 5) : Math.floor(random.next() * 100_000);
      socket.write(bytes.subarray(at, at + length));
      at += length;
      await new Promise(setImmediate);
    }
    await eventually('all of them', () => heard.length === 20);
    assert.deepEqual(heard, sizes.slice(0, 20));
    socket.destroy();
    end();
  });

  it('delivers a message once, with the best QoS of the subscriptions that match', async () => {
    const client = await given.client('all');
    const heard: (readonly [string, number])[] = [];
    client.on('message', (_topic, payload, { qos }) => heard.push([payload.toString(), qos]));
    await client.subscribeAsync({ 'once/#': { qos: 0 }, 'once/+': { qos: 1 }, 'once/a': { qos: 0 } });
    const publisher = await given.client('all');
    for (const qos of [0, 1, 2] as const) await publisher.publishAsync('once/a', `${qos}`, { qos });
    await publisher.publishAsync('once/a/b', 'deep', { qos: 2 });
    await eventually('four', () => heard.length === 4);
    assert.deepEqual(heard, [
      ['0', 0],
      ['1', 1],
      ['2', 1],
      ['deep', 0],
    ]);
  });

  it('filters what a subscription over all devices hears', async () => {
    const client = await given.client('modbus');
    const heard: string[] = [];
    client.on('message', (topic) => heard.push(topic));
    await client.subscribeAsync('$hw/events/device/+/+/twin/update/delta', { qos: 1 });
    await given.bus.publish('$hw/events/device/factory/thermo/twin/update/delta', 'x');
    await given.bus.publish('$hw/events/device/factory/pump/twin/update/delta', 'x');
    await eventually('one', () => heard.length === 1);
    assert.deepEqual(heard, ['$hw/events/device/factory/pump/twin/update/delta']);
  });

  it('knows whether anybody hears a topic', async () => {
    const isHeard = (device: string): boolean =>
      given.bus.isHeard?.(`$hw/events/device/factory/${device}/twin/update/document`) ?? true;
    assert.equal(isHeard('pump'), false);
    const client = await given.client('modbus');
    await client.subscribeAsync('$hw/events/device/+/+/twin/update/document', { qos: 1 });
    assert.equal(isHeard('pump'), true);
    assert.equal(isHeard('thermo'), false, 'not what it may not hear');
    await client.unsubscribeAsync('$hw/events/device/+/+/twin/update/document');
    assert.equal(isHeard('pump'), false);
  });

  it('has an acknowledgement wait for the handlers, in order', async () => {
    const releases: (() => void)[] = [];
    const end = given.bus.subscribe('app/wait', () => new Promise<void>((resolve) => releases.push(resolve)));
    const client = await given.client('all');
    const done: number[] = [];
    const all = [1, 2].map((n) =>
      client.publishAsync('app/wait', `${n}`, { qos: 1 }).then(() => done.push(n)),
    );
    await eventually('both are handled', () => releases.length === 2);
    releases[1]?.();
    const other = await given.client('all');
    await other.publishAsync('app/else', 'x', { qos: 1 });
    assert.deepEqual(done, []);
    releases[0]?.();
    await Promise.all(all);
    assert.deepEqual(done, [1, 2]);
    end();
  });

  it('goes on where a handler throws or rejects', async () => {
    const ends = [
      given.bus.subscribe('app/throws', () => {
        throw new Error('thrown');
      }),
      given.bus.subscribe('app/throws', () => Promise.reject(new Error('rejected'))),
    ];
    const client = await given.client('all');
    await client.publishAsync('app/throws', 'x', { qos: 1 });
    for (const end of ends) end();
  });

  it('ends clients whose credentials are others now, and refuses to be on a port that is taken', async () => {
    const client = await given.client('app');
    const closed = new Promise((resolve) => client.once('close', () => resolve(undefined)));
    given.bus.disconnect('app');
    await closed;
    await assert.rejects(givenBus(dir.path, { listen: given.bus.url.replace('mqtt://', '') }), {
      code: 'ERR_EDGECORE_BUS_LISTEN',
    });
    await assert.rejects(givenBus(dir.path, { mode: 'off' }), { code: 'ERR_EDGECORE_BUS_OFF' });
    await assert.rejects(givenBus(dir.path, { mode: 'external' }), { code: 'ERR_EDGECORE_BUS_URL' });
    await assert.rejects(given.bus.publish('a/+', 'x'), { code: 'ERR_EDGECORE_BUS_TOPIC' });
  });

  it('tells metrics', async () => {
    const registry = new Registry();
    busMetrics(registry, () => given.bus);
    const text = await registry.metrics();
    assert.match(text, /hawser_edge_bus_received_total [1-9]/);
    assert.match(text, /hawser_edge_bus_clients \d/);
    assert.match(text, /hawser_edge_bus_refused_total\{reason="subscribe"\} 2/);
  });
});

function publishPacket(size: number): Buffer {
  return generate({
    cmd: 'publish',
    topic: 'app/sizes',
    payload: Buffer.alloc(size),
    qos: 0,
    retain: false,
    dup: false,
  });
}
