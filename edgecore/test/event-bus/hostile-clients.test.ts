import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { seededRandom } from '@hawser/seams';
import { eventually, makeTempDir, scaled, within, type TempDir } from '@hawser/seams/testing';
import { generate, type Packet } from 'mqtt-packet';
import type { IClientOptions } from 'mqtt';
import { connected, givenBus, mqttClient, type GivenBus } from './given-bus.ts';

describe('hostile clients of the embedded bus', () => {
  let dir: TempDir;
  let given: GivenBus;
  const sockets: Socket[] = [];
  beforeEach(async () => {
    dir = await makeTempDir();
    given = await givenBus(dir.path, {}, { handlerTimeoutMs: 200, writeStallMs: 500, connectTimeoutMs: 400 });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await given.end();
    await dir.remove();
  });

  const refused = (reason: string): number => given.bus.counters.refused.get(reason) ?? 0;

  async function raw(...packets: readonly (Packet | Buffer)[]): Promise<Socket> {
    const socket = connect(Number(new URL(given.bus.url).port), '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    for (const packet of packets) socket.write(Buffer.isBuffer(packet) ? packet : generate(packet));
    return socket;
  }

  const hello = (name: string, more: object = {}): Packet => ({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: `${name}/raw${sockets.length}`,
    keepalive: 60,
    username: name,
    password: Buffer.from(`secret-of-${name}`),
    ...more,
  });

  /** Somebody else is served as before. */
  async function assertServed(): Promise<void> {
    const client = await given.client('all');
    await within('somebody else is served', client.publishAsync('still/here', 'x', { qos: 1 }));
    await client.endAsync();
  }

  it('with wrong credentials, none, or the name of another one, are refused', async () => {
    const attempts: readonly (readonly [IClientOptions, string, number])[] = [
      [{ password: 'wrong' }, 'credentials', 4],
      [{ username: 'nobody' }, 'credentials', 4],
      [{ clientId: 'bluetooth/1' }, 'client-id', 2],
      [{ clientId: 'modbus2' }, 'client-id', 2],
      [{ will: { topic: '$hw/events/mapper/bluetooth/hello', payload: Buffer.from('') } }, 'publish', 5],
    ];
    for (const [options, reason, code] of attempts) {
      const before = refused(reason);
      const client = mqttClient(given.bus.url, 'modbus', options);
      await assert.rejects(connected(client), { code });
      await client.endAsync(true);
      assert.equal(refused(reason), before + 1, reason);
    }
    const socket = await raw({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      clientId: 'x',
      keepalive: 0,
    });
    socket.resume();
    await within('the end of an anonymous client', once(socket, 'close'));
    assert.equal(given.bus.status().clients, 0);
    const first = await given.client('modbus', { clientId: 'modbus' });
    const thief = mqttClient(given.bus.url, 'bluetooth', { clientId: 'modbus' });
    await assert.rejects(connected(thief));
    await thief.endAsync(true);
    assert.equal(first.connected, true);
    await first.publishAsync('$hw/events/mapper/modbus/heartbeat', 'x', { qos: 1 });
  });

  it('that publish what they may not are disconnected, and counted', async () => {
    const heard: string[] = [];
    given.bus.subscribe('$hw/#', ({ topic }) => void heard.push(topic));
    for (const topic of [
      '$hw/events/device/factory/thermo/twin/update',
      '$hw/events/mapper/bluetooth/hello',
      '$SYS/x',
    ]) {
      const client = await given.client('modbus');
      const closed = new Promise((resolve) => client.once('close', () => resolve(undefined)));
      client.publish(topic, 'x', { qos: 0 });
      await within('the end', closed);
    }
    assert.equal(refused('publish'), 3);
    assert.deepEqual(heard, []);
  });

  it('that send garbage are disconnected', async () => {
    const random = seededRandom(11);
    const count = scaled(100, 2000);
    for (let n = 0; n < count; n += 1) {
      const bytes = Buffer.from(
        Array.from({ length: 1 + Math.floor(random.next() * 200) }, () => Math.floor(random.next() * 256)),
      );
      const isKnown = n % 2 === 1;
      const socket = await raw(...(isKnown ? [hello('app')] : []), bytes);
      socket.resume();
      if (n % 10 === 0) socket.destroy();
      if (n % 20 === 19) for (const each of sockets.splice(0)) each.destroy();
    }
    await assertServed();
  });

  it('that send too much at once are disconnected, before it is in memory', async () => {
    const announced = await raw(hello('app'), Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    announced.resume();
    await within('the end of one that announces 256 MiB', once(announced, 'close'));
    assert.equal(refused('packet-too-large'), 1);
    const client = await given.client('app');
    const closed = new Promise((resolve) => client.once('close', () => resolve(undefined)));
    client.publish('app/1', Buffer.alloc(300 * 1024), { qos: 1 });
    await within('the end of one that sends 300 KiB', closed);
    assert.equal(refused('packet-too-large'), 2);
    const endless = await raw(hello('app'), Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0xff]));
    endless.resume();
    await within('the end of one with a length of five bytes', once(endless, 'close'));
    assert.equal(refused('malformed'), 1);
    await assertServed();
  });

  it('that connect a thousand times and say nothing keep nobody out', async () => {
    await Promise.all(Array.from({ length: scaled(300, 1000) }, () => raw()));
    await assertServed();
    assert.ok(refused('too-many-connections') > 100);
    await eventually('those that say nothing are ended', () => refused('connect-timeout') >= 50);
  });

  it('are ten at most with one name, and have a hundred subscriptions at most', async () => {
    for (let n = 0; n < 10; n += 1) await given.client('app');
    const eleventh = mqttClient(given.bus.url, 'app');
    await assert.rejects(connected(eleventh), { code: 3 });
    await eleventh.endAsync(true);
    assert.equal(refused('too-many-clients'), 1);
    const client = await given.client('all');
    const filters = Array.from({ length: 120 }, (_, n) => `many/${n}`);
    await assert.rejects(client.subscribeAsync(filters));
    assert.equal(refused('subscribe'), 20);
  });

  it('that do not read are disconnected; others get everything, and their session keeps what it may', async function () {
    this.timeout(30_000); // a busy disk is waited for
    const lazy = await raw(hello('app', { clean: false }), {
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: 'app/#', qos: 1 }],
    });
    lazy.pause();
    await eventually('it has subscribed', () => given.bus.status().sessions === 1);
    const reader = await given.client('app');
    let heard = 0;
    reader.on('message', () => (heard += 1));
    await reader.subscribeAsync('app/#', { qos: 1 });
    const publisher = await given.client('all');
    const payload = Buffer.alloc(100_000);
    let sent = 0;
    const deadline = performance.now() + 20_000;
    while (refused('not-reading') === 0 && performance.now() < deadline) {
      await publisher.publishAsync('app/1', payload, { qos: sent % 10 === 0 ? 1 : 0 });
      sent += 1;
    }
    assert.equal(refused('not-reading'), 1);
    await eventually('the reader has all', () => heard === sent);
    const { queued, queuedBytes } = given.bus.status();
    assert.ok(queued > 0 && queuedBytes <= 1024 * 1024, `${queued} messages, ${queuedBytes} bytes`);
  });

  it('that flood are held back, and nobody else feels it', async () => {
    const flooder = await given.client('slow');
    let acknowledged = 0;
    const total = scaled(5000, 100_000);
    for (let n = 0; n < total; n += 1) {
      flooder.publish('app/flood', Buffer.alloc(100), { qos: 1 }, (error) => {
        if (!(error instanceof Error)) acknowledged += 1;
      });
    }
    const other = await given.client('all');
    const times: number[] = [];
    for (let n = 0; n < 50; n += 1) {
      const startedMs = performance.now();
      await other.publishAsync('other/1', 'x', { qos: 1 });
      times.push(performance.now() - startedMs);
    }
    const median = times.toSorted((a, b) => a - b)[25] ?? Infinity;
    assert.ok(median < 50, `${median} ms`);
    assert.ok(given.bus.counters.throttled > 0);
    assert.ok(acknowledged < total, 'it is still held back');
  });

  it('that have everything retained find a thousand places', async () => {
    const client = await given.client('all');
    const topics = Array.from({ length: 1100 }, (_, n) => `kept/${n}`);
    await Promise.all(topics.map((topic) => client.publishAsync(topic, 'x', { qos: 1, retain: true })));
    assert.equal(given.bus.status().retained, 1000);
    assert.equal(given.bus.counters.dropped.get('retained'), 100);
    await given.bus.publish('$hw/events/mapper/modbus/devices/factory/pump', 'x', { retain: true });
    assert.equal(given.bus.status().retained, 1001);
  });

  it('that go silent are disconnected after one and a half keepalives', async () => {
    const silent = await raw(hello('app', { keepalive: 1 }));
    silent.resume();
    await within('its end', once(silent, 'close'), 4000);
    assert.equal(refused('keepalive'), 1);
  });

  it('wait for a handler of the edge core, but not for ever', async () => {
    given.bus.subscribe('app/stuck', () => new Promise<void>(() => undefined));
    const client = await given.client('all');
    const startedMs = performance.now();
    await within('the acknowledgement', client.publishAsync('app/stuck', 'x', { qos: 1 }), 2000);
    assert.ok(performance.now() - startedMs > 150);
    await assertServed();
  });
});
