import assert from 'node:assert/strict';
import { Mapper } from '@hawser/mapper-sdk';
import { boundDevice, TestBus } from '@hawser/mapper-sdk/testing';
import { eventually } from '@hawser/seams/testing';
import { driver } from '../src/index.ts';
import { BluezPeer } from '../testing/index.ts';
import { BATTERY, describeUnless, LED, sensor, TEMPERATURE, useBus } from './site.ts';

const ADDRESSES = ['A4:C1:38:00:00:01', 'A4:C1:38:00:00:02'] as const;
const [FIRST] = ADDRESSES;

describeUnless(BluezPeer.missing(), 'a mapper for Bluetooth', () => {
  let peer: BluezPeer;
  let restore: () => void;
  let bus: TestBus;
  let mapper: Mapper;

  const devices = ADDRESSES.map((macAddress, at) =>
    boundDevice({
      name: `sensor-${at + 1}`,
      protocol: 'bluetooth',
      config: { macAddress, scanTimeoutMs: 1000, connectTimeoutMs: 2000 },
      properties: [
        {
          name: 'temperature',
          type: 'FLOAT',
          accessMode: 'ReadOnly',
          visitor: {
            characteristicUUID: '2a1f',
            notify: true,
            dataConverter: {
              startIndex: 1,
              endIndex: 0,
              signed: true,
              orderOfOperations: [{ operationType: 'Multiply', operationValue: 0.1 }],
            },
          },
        },
        {
          name: 'battery',
          type: 'INT',
          accessMode: 'ReadOnly',
          collectCycleMs: 50,
          visitor: { characteristicUUID: '2a19' },
        },
        {
          name: 'led',
          type: 'STRING',
          visitor: { characteristicUUID: LED, dataWrite: { Off: '00', Red: 'AQ==' } },
        },
      ],
    }),
  );
  const [first, second] = devices as [(typeof devices)[number], (typeof devices)[number]]; // made of two addresses

  before(async () => {
    peer = await BluezPeer.start();
    restore = useBus(peer);
  });

  beforeEach(async () => {
    await peer.reset();
    for (const [at, address] of ADDRESSES.entries())
      await peer.put(sensor({ address, name: `sensor ${at}` }));
    bus = new TestBus();
    mapper = new Mapper(driver, { name: 'bluetooth', bus });
    for (const device of devices) bus.device(device);
    mapper.start();
    await eventually('both are online', () => devices.every((device) => bus.state(device) === 'online'));
  });

  afterEach(() => mapper.stop());

  after(async () => {
    restore();
    await peer.stop();
  });

  const reported = (device: typeof first, property: string, value: string): Promise<void> =>
    eventually(`${device.name} says ${property} ${value}`, () => bus.reported(device)[property] === value, {
      deadlineMs: 8000,
    });

  it('brings values up, polled and as the device says them', async () => {
    await reported(first, 'temperature', '-20');
    await reported(second, 'battery', '87');
    await reported(second, 'led', 'Off');
    await peer.set(FIRST, BATTERY, '56');
    await reported(first, 'battery', '86');
    await peer.set(FIRST, TEMPERATURE, 'd700');
    await reported(first, 'temperature', '21.5');
    assert.equal(bus.reported(second)['temperature'], '-20');
  });

  it('brings settings down by their names', async () => {
    bus.desire(first, { led: 'Red' });
    await eventually('it is settled', () => bus.settled(first)['led']?.ok === true);
    assert.equal(await peer.get(FIRST, LED), '01');
    assert.equal(bus.reported(first)['led'], 'Red');
    bus.desire(first, { led: 'Pink' });
    await eventually('it is refused', () => bus.settled(first)['led']?.ok === false);
    assert.match(bus.settled(first)['led']?.message ?? '', /Off, Red/);
    assert.equal(await peer.get(FIRST, LED), '01');
  });

  it('comes back after the device, and after bluetoothd, and hears notifications again', async function () {
    this.timeout(30_000);
    await peer.vanish(FIRST);
    await peer.set(FIRST, TEMPERATURE, '0000');
    await peer.appear(FIRST);
    await reported(first, 'temperature', '0');
    await peer.killDaemon();
    await peer.startDaemon();
    await eventually('it is connected again', async () => (await peer.state()).notifying.length === 2, {
      deadlineMs: 8000,
    });
    await peer.set(FIRST, TEMPERATURE, '6400');
    await reported(first, 'temperature', '10');
    await reported(second, 'temperature', '-20');
  });
});
