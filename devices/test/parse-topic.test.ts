import assert from 'node:assert/strict';
import {
  DEVICE_SUFFIXES,
  deviceTopic,
  MAPPER_DEVICE_SEGMENTS,
  mapperDeviceTopic,
  mapperHeartbeatTopic,
  mapperHelloTopic,
  membershipTopic,
  parseTopic,
  telemetryTopic,
  type DeviceTopicKind,
  type MapperDeviceTopicKind,
} from '../src/index.ts';

describe('topics', () => {
  it('say what they were made of', () => {
    for (const what of Object.keys(DEVICE_SUFFIXES) as DeviceTopicKind[]) {
      const expected = { kind: 'device', what, namespace: 'a', name: 'b.c' };
      assert.deepEqual(parseTopic(deviceTopic('a', 'b.c', what)), expected);
    }
    for (const what of Object.keys(MAPPER_DEVICE_SEGMENTS) as MapperDeviceTopicKind[]) {
      const expected = { kind: 'mapper-device', what, protocol: 'modbus', namespace: 'a', name: 'b' };
      assert.deepEqual(parseTopic(mapperDeviceTopic('modbus', what, 'a', 'b')), expected);
    }
    assert.deepEqual(parseTopic(mapperHelloTopic('x')), { kind: 'mapper-hello', protocol: 'x' });
    assert.deepEqual(parseTopic(mapperHeartbeatTopic('x')), { kind: 'mapper-heartbeat', protocol: 'x' });
    assert.deepEqual(parseTopic(telemetryTopic('x')), { kind: 'telemetry', device: 'x' });
    for (const what of ['get', 'get/result', 'updated'] as const) {
      assert.deepEqual(parseTopic(membershipTopic('n', what)), { kind: 'membership', what, node: 'n' });
    }
    for (const topic of [
      'SYS/dis/upload_records',
      '$hw/events/upload/a',
      '$hw/events/upload/a//b',
      '$hw/events/upload',
    ])
      assert.deepEqual(parseTopic(topic), { kind: 'upload' });
  });

  it('are others where anything is missing, or too much', () => {
    const others = [
      '',
      '/',
      'a/b',
      '$hw/events',
      '$hw/events/device',
      '$hw/events/device/a/twin/update',
      '$hw/events/device/a/b/twin',
      '$hw/events/device/a/b/twin/update/more',
      '$hw/events/device/a/b/constructor',
      '$hw/events/device//b/twin/update',
      '$hw/events/device/a/b/twin/update/',
      '$hw/events/mapper/x',
      '$hw/events/mapper/x/hello/y',
      '$hw/events/mapper//hello',
      '$hw/events/mapper/x/devices/a',
      '$hw/events/mapper/x/devices/a/b/c',
      '$hw/events/mapper/x/toString/a/b',
      '$hw/events/node/n/membership',
      '$hw/events/node/n/membership/set',
      '$ke/events/device/x/data',
      '$ke/events/node/x/data/update',
      '$hx/events/device/a/b/twin/update',
      'SYS/dis/upload_records/x',
      `$hw/events/device/a/${'b'.repeat(2000)}/twin/update`,
    ];
    for (const topic of others) assert.deepEqual(parseTopic(topic), { kind: 'other' }, topic);
  });
});
