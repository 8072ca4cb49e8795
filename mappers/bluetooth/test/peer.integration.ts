import assert from 'node:assert/strict';
import { eventually } from '@hawser/seams/testing';
import { createBluetooth } from 'node-ble';
import { BluezPeer } from '../testing/index.ts';
import { BATTERY, BUTTON, describeUnless, sensor, TEMPERATURE, THERMOMETER, useBus } from './site.ts';

const ADDRESS = 'A4:C1:38:00:00:01';

// The peer is what our driver is tried with: here another program for BlueZ tries the peer.
describeUnless(BluezPeer.missing(), 'the peer, for a client that was not written for it', () => {
  it('is scanned, connected, read, written and heard by node-ble', async () => {
    const peer = await BluezPeer.start();
    const restore = useBus(peer);
    const session = createBluetooth();
    const { bluetooth } = session;
    try {
      await peer.put(sensor({ address: ADDRESS }));
      const adapter = await bluetooth.getAdapter('hci0');
      assert.equal(await adapter.isPowered(), true);
      await adapter.startDiscovery();
      const device = await adapter.waitDevice(ADDRESS, 3000, 20);
      await adapter.stopDiscovery();
      await device.connect();
      const gatt = await device.gatt();
      const service = await gatt.getPrimaryService(THERMOMETER);
      const battery = await service.getCharacteristic(BATTERY);
      assert.deepEqual(await battery.readValue(), Buffer.of(0x57));
      await assert.rejects(battery.writeValueWithResponse(Buffer.of(1)), /Operation is not supported/);
      const other = await gatt.getPrimaryService('f000aa64-0451-4000-b000-000000000000');
      const button = await other.getCharacteristic(BUTTON);
      await button.writeValueWithoutResponse(Buffer.of(7));
      assert.equal(await peer.get(ADDRESS, BUTTON), '07');
      const temperature = await service.getCharacteristic(TEMPERATURE);
      const said: Buffer[] = [];
      temperature.on('valuechanged', (value) => said.push(value));
      await temperature.startNotifications();
      await peer.set(ADDRESS, TEMPERATURE, 'd700');
      await eventually('it hears', () => said.length > 0);
      assert.deepEqual(said[0], Buffer.of(0xd7, 0));
      await temperature.stopNotifications();
      await device.disconnect();
      assert.deepEqual((await peer.state()).connected, []);
    } finally {
      session.destroy();
      restore();
      await peer.stop();
    }
  });
});
