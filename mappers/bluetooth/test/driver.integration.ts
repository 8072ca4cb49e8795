import { describeDriver } from '@hawser/mapper-sdk/testing';
import { driver } from '../src/index.ts';
import { BluezPeer } from '../testing/index.ts';
import {
  BATTERY,
  describeUnless,
  LED,
  NAME,
  sensor,
  SETPOINT,
  TEMPERATURE,
  THERMOMETER,
  useBus,
} from './site.ts';

const ADDRESS = 'A4:C1:38:1A:49:90';
const TEMPERATURE_VISITOR = {
  characteristicUUID: '2a1f',
  dataConverter: {
    startIndex: 1,
    endIndex: 0,
    signed: true,
    orderOfOperations: [{ operationType: 'Divide', operationValue: 10 }],
  },
  notify: true,
};

describeUnless(BluezPeer.missing(), 'Bluetooth over BlueZ', () => {
  let peer: BluezPeer;
  let restore = (): void => {};

  describeDriver(driver, {
    async start() {
      peer = await BluezPeer.start();
      restore = useBus(peer);
      await peer.put(sensor({ address: ADDRESS }));
      return { macAddress: ADDRESS.toLowerCase(), scanTimeoutMs: 1000, connectTimeoutMs: 2000 };
    },
    async stop() {
      restore();
      await peer.stop();
    },
    readable: [
      { property: 'temperature', type: 'FLOAT', visitor: TEMPERATURE_VISITOR, expect: -20 },
      { property: 'battery', type: 'INT', visitor: { characteristicUUID: BATTERY }, expect: 87 },
      {
        property: 'name',
        type: 'STRING',
        visitor: { characteristicUUID: NAME },
        expect: 'Kessel 1',
      },
      {
        property: 'raw',
        type: 'BYTES',
        visitor: { characteristicUUID: TEMPERATURE, serviceUUID: THERMOMETER },
        expect: Uint8Array.of(0x38, 0xff),
      },
    ],
    writable: [
      {
        property: 'led',
        type: 'STRING',
        visitor: {
          characteristicUUID: LED.replaceAll('-', '').toUpperCase(),
          dataWrite: { Red: '0x01', Green: 'Ag==', Off: [0] },
        },
        values: ['Red', 'Green', 'Off'],
      },
      {
        property: 'setpoint',
        type: 'DOUBLE',
        visitor: {
          characteristicUUID: SETPOINT,
          dataConverter: {
            startIndex: 2,
            endIndex: 1,
            orderOfOperations: [
              { operationType: 'Multiply', operationValue: 0.1 },
              { operationType: 'Subtract', operationValue: 40 },
            ],
          },
        },
        values: [21.5, -40, 0.3],
      },
    ],
    broken: { property: 'missing', type: 'INT', visitor: { characteristicUUID: '2a6e' } },
    refuses: {
      property: 'locked',
      type: 'STRING',
      visitor: { characteristicUUID: LED, dataWrite: { Long: '0x010203' } },
      value: 'Long',
    },
    notify: {
      property: 'temperature',
      type: 'FLOAT',
      visitor: TEMPERATURE_VISITOR,
      value: 21.5,
      change: () => peer.set(ADDRESS, TEMPERATURE, 'd700'),
    },
    async silence() {
      await peer.fault({ member: 'ReadValue', mute: true, times: -1 });
      return () => peer.mend();
    },
    async cut() {
      await peer.vanish(ADDRESS);
      return () => peer.appear(ADDRESS);
    },
    unreachable: { macAddress: '00:00:5E:00:53:FF', scanTimeoutMs: 300 },
  });
});
