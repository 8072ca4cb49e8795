import assert from 'node:assert/strict';
import { eventually } from '@hawser/seams/testing';
import { BluezPeer } from '../testing/index.ts';
import { BATTERY, describeUnless, sensor, Site, THERMOMETER, useBus, visit } from './site.ts';

const ADDRESSES = [1, 2, 3, 4, 5].map((at) => `A4:C1:38:00:00:0${at}`);
const [ADDRESS = ''] = ADDRESSES;

describeUnless(BluezPeer.missing(), 'finding and connecting', () => {
  let peer: BluezPeer;
  let restore: () => void;
  let sites: Site[];

  before(async () => {
    peer = await BluezPeer.start();
    restore = useBus(peer);
  });

  beforeEach(async () => {
    sites = [];
    await peer.reset();
  });

  afterEach(async () => {
    await Promise.all(sites.map((site) => site.close()));
  });

  after(async () => {
    restore();
    await peer.stop();
  });

  async function open(...args: Parameters<typeof Site.open>): Promise<Site> {
    const site = await Site.open(...args);
    sites.push(site);
    return site;
  }

  async function count(member: string): Promise<number> {
    return (await peer.calls()).filter((called) => called === member).length;
  }

  async function noScan(): Promise<void> {
    await eventually('the scan has ended', async () => (await peer.state()).scanners === 0);
  }

  it('finds a device by its address, its name and its service', async () => {
    await peer.put(sensor({ address: ADDRESS, name: 'Boiler' }));
    for (const wanted of [
      { macAddress: ADDRESS },
      { name: 'Boiler' },
      { serviceUUID: '1809' },
      { macAddress: ADDRESS, name: 'Boiler', serviceUUID: THERMOMETER.toUpperCase() },
    ]) {
      const site = await open(wanted);
      assert.deepEqual(await site.values([visit({ characteristicUUID: BATTERY })]), [87]);
      await site.close();
      assert.deepEqual((await peer.state()).connected, []);
    }
    await assert.rejects(open({ macAddress: ADDRESS, name: 'Pump', scanTimeoutMs: 200 }), /called Pump/);
    await noScan();
  });

  it('waits for a device that comes later, and no longer than it shall', async () => {
    await peer.put(sensor({ address: ADDRESS }));
    await peer.vanish(ADDRESS);
    const opening = open({ macAddress: ADDRESS, scanTimeoutMs: 5000 });
    await eventually('it scans', async () => (await peer.state()).discovering);
    await peer.appear(ADDRESS);
    await opening;
    await assert.rejects(
      open({ macAddress: 'A4:C1:38:00:00:FF', scanTimeoutMs: 200 }),
      /no device that is A4:C1:38:00:00:FF was heard by hci0 within 200 ms/,
    );
    await noScan();
  });

  it('has one scan for all who wait, for as long as somebody waits', async () => {
    await peer.put(sensor({ address: ADDRESS }));
    await peer.vanish(ADDRESS);
    const late = open({ macAddress: ADDRESS, scanTimeoutMs: 5000 });
    const nobody = [2, 3, 4].map((at) =>
      assert.rejects(open({ macAddress: `A4:C1:38:00:00:F${at}`, scanTimeoutMs: 100 * at })),
    );
    await Promise.all(nobody);
    const { scanners } = await peer.state();
    assert.equal(scanners, 1);
    assert.equal(await count('StartDiscovery'), 1);
    await peer.appear(ADDRESS);
    await late;
    await noScan();
    assert.equal(await count('StopDiscovery'), 1);
  });

  it('connects one at a time, and never while it scans', async () => {
    for (const [at, address] of ADDRESSES.entries())
      await peer.put(sensor({ address, name: `sensor ${at}`, connectMs: 40 }));
    const waiting = assert.rejects(open({ macAddress: 'A4:C1:38:00:00:FF', scanTimeoutMs: 1000 }));
    const all = await Promise.all(ADDRESSES.map((macAddress) => open({ macAddress })));
    const values = await Promise.all(
      all.map((site) => site.values([visit({ characteristicUUID: BATTERY })])),
    );
    assert.deepEqual(
      values,
      ADDRESSES.map(() => [87]),
    );
    assert.equal((await peer.state()).mostConnecting, 1);
    assert.equal(await count('Connect'), ADDRESSES.length, 'none was broken off');
    await waiting;
  });

  it('tries again where the radio was disturbed', async () => {
    await peer.put(sensor({ address: ADDRESS }));
    await peer.fault({ member: 'Connect', times: 2, error: 'Failed', text: 'le-connection-abort-by-local' });
    await open({ macAddress: ADDRESS });
    assert.equal(await count('Connect'), 3);
  });

  it('says why a device cannot be connected', async () => {
    await peer.put(sensor({ address: ADDRESS }));
    await peer.fault({ member: 'Connect', error: 'Failed', text: 'le-connection-timeout' });
    await assert.rejects(
      open({ macAddress: ADDRESS }),
      /cannot be connected: le-connection-timeout.*too far away/,
    );
    await peer.fault({ member: 'Connect', error: 'AuthenticationFailed', text: 'Authentication Failed' });
    await assert.rejects(open({ macAddress: ADDRESS }), /Pair the device anew/);
    await open({ macAddress: ADDRESS });
  });

  it('gives up a device that does not take a connection, and does not leave it half connected', async () => {
    await peer.put(sensor({ address: ADDRESS, connectMs: 60_000 }));
    await assert.rejects(
      open({ macAddress: ADDRESS, connectTimeoutMs: 200 }),
      /could not be connected within 200 ms/,
    );
    assert.equal(await count('Disconnect'), 1);
    await peer.put(sensor({ address: ADDRESS, resolveMs: 60_000 }));
    await assert.rejects(
      open({ macAddress: ADDRESS, connectTimeoutMs: 200 }),
      /services of .* are not known/,
    );
    assert.deepEqual((await peer.state()).connected, []);
  });

  it('ends soon when it is not wanted any more', async () => {
    await peer.put(sensor({ address: ADDRESS, connectMs: 60_000 }));
    const reason = new Error('not wanted');
    for (const macAddress of ['A4:C1:38:00:00:FF', ADDRESS]) {
      const controller = new AbortController();
      const opening = open(
        { macAddress, scanTimeoutMs: 20_000, connectTimeoutMs: 20_000 },
        controller.signal,
      );
      const rejected = assert.rejects(opening, reason);
      await (macAddress === ADDRESS
        ? eventually('it connects', async () => (await count('Connect')) > 0)
        : eventually('it scans', async () => (await peer.state()).discovering));
      controller.abort(reason);
      await rejected;
      await noScan();
    }
  });

  it('does not guess which of two devices is meant', async () => {
    for (const address of ADDRESSES.slice(0, 2)) await peer.put(sensor({ address }));
    const both = await Promise.allSettled([
      open({ serviceUUID: THERMOMETER, macAddress: ADDRESS }),
      open({ macAddress: ADDRESSES[1] ?? '' }),
    ]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ['fulfilled', 'fulfilled'],
    );
    await assert.rejects(open({ name: 'sensor' }), /2 devices are called sensor: .*macAddress/);
  });

  it('tries a device that was paired even where it is not heard', async () => {
    await peer.put(sensor({ address: ADDRESS, paired: true, silent: true }));
    await open({ macAddress: ADDRESS, scanTimeoutMs: 100 });
    await noScan();
  });

  it('leaves a device connected that was', async () => {
    await peer.put(sensor({ address: ADDRESS }));
    const first = await open({ macAddress: ADDRESS });
    const second = await open({ macAddress: ADDRESS });
    await second.close();
    assert.deepEqual((await peer.state()).connected, [ADDRESS]);
    assert.deepEqual(await first.values([visit({ characteristicUUID: BATTERY })]), [87]);
    await first.close();
    assert.deepEqual((await peer.state()).connected, []);
  });

  it('says what is wrong with the adapter', async () => {
    await peer.put(sensor({ address: ADDRESS }));
    await assert.rejects(
      open({ macAddress: ADDRESS, adapter: 'hci1' }),
      /no Bluetooth adapter hci1, but hci0/,
    );
    await peer.adapter('hci0', false);
    await assert.rejects(open({ macAddress: ADDRESS }), /hci0 is switched off.*bluetoothctl power on/);
    await peer.adapter('hci0', true);
    const opening = assert.rejects(
      open({ macAddress: 'A4:C1:38:00:00:FF', scanTimeoutMs: 5000 }),
      /switched off/,
    );
    await eventually('it scans', async () => (await peer.state()).discovering);
    await peer.adapter('hci0', false);
    await opening;
    await peer.removeAdapter('hci0');
    await assert.rejects(open({ macAddress: ADDRESS }), /no Bluetooth adapter hci0, and no other/);
  });

  it('uses the adapter that is named', async () => {
    await peer.adapter('hci1', true);
    await peer.put(sensor({ address: ADDRESS, adapter: 'hci1' }));
    await assert.rejects(open({ macAddress: ADDRESS, scanTimeoutMs: 100 }), /heard by hci0/);
    await open({ macAddress: ADDRESS, adapter: 'hci1' });
  });

  it('says why there can be no scan', async () => {
    await peer.fault({ member: 'StartDiscovery', error: 'Failed', text: 'Failed' });
    await assert.rejects(open({ macAddress: ADDRESS }), /hci0 cannot scan: Failed/);
  });

  it('says that bluetoothd is not there', async () => {
    await peer.killDaemon();
    await assert.rejects(open({ macAddress: ADDRESS }), /bluetoothd does not run/);
  });

  it('says that there is no bus', async () => {
    const address = process.env['DBUS_SYSTEM_BUS_ADDRESS'];
    try {
      for (const none of ['unix:path=/nowhere', 'carrier-pigeon:', 'nonsense']) {
        process.env['DBUS_SYSTEM_BUS_ADDRESS'] = none;
        await assert.rejects(
          open({ macAddress: ADDRESS }),
          /BlueZ cannot be reached.*DBUS_SYSTEM_BUS_ADDRESS/,
        );
      }
    } finally {
      process.env['DBUS_SYSTEM_BUS_ADDRESS'] = address;
    }
  });

  it('says that the policy of D-Bus does not let it', async () => {
    const other = await BluezPeer.start({ denyBluez: true });
    const back = useBus(other);
    try {
      await assert.rejects(open({ macAddress: ADDRESS }), /does not let this user speak with BlueZ/);
    } finally {
      back();
      await other.stop();
    }
  });
});
