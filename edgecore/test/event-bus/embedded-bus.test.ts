import assert from 'node:assert/strict';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
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
});
