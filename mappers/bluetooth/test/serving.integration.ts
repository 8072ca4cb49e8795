import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ConnectionLost, PropertyError, type DriverValue } from '@hawser/mapper-sdk';
import { eventually, within } from '@hawser/seams/testing';
import { BluezPeer } from '../testing/index.ts';
import {
  BATTERY,
  BUTTON,
  converter,
  describeUnless,
  LED,
  NAME,
  sensor,
  SETPOINT,
  Site,
  TEMPERATURE,
  THERMOMETER,
  useBus,
  visit,
} from './site.ts';

const ADDRESS = 'A4:C1:38:00:00:01';
const battery = visit({ characteristicUUID: BATTERY }, { property: 'battery' });
const temperature = visit({ characteristicUUID: TEMPERATURE, notify: true }, { property: 'temperature' });
const button = visit({ characteristicUUID: BUTTON, notify: true }, { property: 'button' });

describeUnless(BluezPeer.missing(), 'a device that is connected', () => {
  let peer: BluezPeer;
  let restore: () => void;
  let site: Site;

  before(async () => {
    peer = await BluezPeer.start();
    restore = useBus(peer);
  });

  beforeEach(async () => {
    await peer.reset();
    await peer.put(sensor({ address: ADDRESS }));
    site = await Site.open({ macAddress: ADDRESS });
  });

  afterEach(() => site.close());

  after(async () => {
    restore();
    await peer.stop();
  });

  async function count(member: string): Promise<number> {
    return (await peer.calls()).filter((called) => called === member).length;
  }

  async function subscribe(
    visits: Parameters<Site['values']>[0],
    said: [string, DriverValue][],
  ): Promise<{ readonly properties: readonly string[]; end(): Promise<void> }> {
    const onValue = (property: string, value: DriverValue): void => void said.push([property, value]);
    const subscribing = site.connection.subscribe?.(
      site.device,
      visits,
      onValue,
      new AbortController().signal,
    );
    assert.ok(subscribing !== undefined);
    return await subscribing;
  }

  describe('reading and writing', () => {
    it('reads a characteristic once for all properties that are in it', async () => {
      const visits = [0, 1, 2, 3].map((at) =>
        visit({ characteristicUUID: SETPOINT, dataConverter: converter({ startIndex: at, endIndex: at }) }),
      );
      assert.deepEqual(await site.values([...visits, battery]), [0xaa, 0, 0, 0xbb, 87]);
      assert.equal(await count('ReadValue'), 2);
    });

    it('says what the device does not have, and what it has', async () => {
      const values = await site.values([
        visit({ characteristicUUID: '2a6e' }),
        visit({ characteristicUUID: BATTERY, serviceUUID: '180f' }),
        visit({ characteristicUUID: BUTTON }),
        battery,
      ]);
      assert.match(String(values[0]), /no characteristic 00002a6e-.*; it has .*00002a19-/);
      assert.match(String(values[1]), /in the service 0000180f-/);
      assert.match(String(values[2]), /has not said anything yet/);
      assert.equal(values[3], 87);
    });

    it('wants to know the service where several have the characteristic', async () => {
      const characteristics = (value: string) => [{ uuid: BATTERY, flags: ['read'], value }];
      await site.close();
      await peer.put(
        sensor({
          address: ADDRESS,
          services: [
            { uuid: THERMOMETER, characteristics: characteristics('01') },
            { uuid: '0000180f-0000-1000-8000-00805f9b34fb', characteristics: characteristics('02') },
          ],
        }),
      );
      site = await Site.open({ macAddress: ADDRESS });
      const values = await site.values([
        battery,
        visit({ characteristicUUID: BATTERY, serviceUUID: '180f' }),
      ]);
      assert.match(String(values[0]), /several services.*serviceUUID/);
      assert.equal(values[1], 2);
    });

    it('tells errors of one property from a device that is away', async () => {
      await peer.fault({ member: 'ReadValue', uuid: BATTERY, error: 'NotPermitted', text: 'Not paired' });
      const values = await site.values([battery, temperature]);
      assert.match(String(values[0]), /Not paired \(NotPermitted\).*bluetoothctl pair/);
      assert.equal(values[1], 0xff38);
      await peer.fault({ member: 'ReadValue', error: 'Failed', text: 'Not connected' });
      await assert.rejects(site.values([battery]), ConnectionLost);
    });

    it('waits for another program that is in the way', async () => {
      await peer.fault({ member: 'ReadValue', error: 'InProgress', text: 'In Progress', times: 2 });
      assert.deepEqual(await site.values([battery]), [87]);
      await peer.fault({ member: 'ReadValue', error: 'InProgress', text: 'In Progress', times: -1 });
      assert.match(String((await site.values([battery]))[0]), /Another program/);
    });

    it('writes by name, in part of a characteristic, and without an answer where there is none', async () => {
      const led = visit({ characteristicUUID: LED, dataWrite: { Red: '01' } }, { type: 'STRING' });
      await site.write(led, 'Red');
      assert.equal(await peer.get(ADDRESS, LED), '01');
      const part = visit({
        characteristicUUID: SETPOINT,
        dataConverter: converter({ startIndex: 2, endIndex: 1 }),
      });
      await site.write(part, 0x1234);
      assert.equal(await peer.get(ADDRESS, SETPOINT), 'aa3412bb');
      await site.write(visit({ characteristicUUID: BUTTON }, { type: 'BYTES' }), Uint8Array.of(9));
      assert.equal(await peer.get(ADDRESS, BUTTON), '09');
      await site.write(visit({ characteristicUUID: NAME }, { type: 'STRING' }), 'Kessel 2');
      assert.deepEqual(await site.values([visit({ characteristicUUID: NAME }, { type: 'STRING' })]), [
        'Kessel 2',
      ]);
    });

    it('says why something cannot be written', async () => {
      await assert.rejects(
        site.write(visit({ characteristicUUID: BATTERY }, { type: 'BYTES' }), Uint8Array.of(1)),
        (error) => error instanceof PropertyError && error.message.includes('cannot be written; it has read'),
      );
      await assert.rejects(
        site.write(visit({ characteristicUUID: LED }, { type: 'BYTES' }), Uint8Array.of(1, 2)),
        (error) =>
          error instanceof PropertyError && /InvalidValueLength.*another number of bytes/.test(error.message),
      );
      await peer.fault({
        member: 'WriteValue',
        error: 'Failed',
        text: 'Operation failed with ATT error: 0x80',
      });
      await assert.rejects(
        site.write(visit({ characteristicUUID: LED }, { type: 'BYTES' }), Uint8Array.of(1)),
        (error) => error instanceof PropertyError && /0x80.*handbook/.test(error.message),
      );
    });

    it('does not write what was given up before', async () => {
      await assert.rejects(
        site.connection.write(
          site.device,
          visit({ characteristicUUID: LED }, { type: 'BYTES' }),
          Uint8Array.of(1),
          AbortSignal.abort(new Error('not wanted')),
        ),
        /not wanted/,
      );
      assert.equal(await count('WriteValue'), 0);
    });
  });

  describe('values that the device says by itself', () => {
    it('hands them on until the subscription ends', async () => {
      const said: [string, DriverValue][] = [];
      const raw = visit(
        { characteristicUUID: TEMPERATURE, notify: true },
        { property: 'raw', type: 'BYTES' },
      );
      const subscription = await subscribe([temperature, battery, button, raw], said);
      assert.deepEqual(subscription.properties, ['temperature', 'raw', 'button']);
      assert.deepEqual((await peer.state()).notifying.toSorted(), [TEMPERATURE, BUTTON].toSorted());
      assert.equal(await count('StartNotify'), 2);
      await peer.set(ADDRESS, TEMPERATURE, 'd700');
      await peer.set(ADDRESS, BUTTON, '02');
      await eventually('all are said', () => said.length === 3);
      assert.deepEqual(said, [
        ['temperature', 0xd7],
        ['raw', Uint8Array.of(0xd7, 0)],
        ['button', 2],
      ]);
      assert.deepEqual(await site.values([button]), [2], 'what cannot be read is what was said last');
      await subscription.end();
      assert.deepEqual((await peer.state()).notifying, []);
    });

    it('leaves what does not notify to be polled', async () => {
      const quiet = visit({ characteristicUUID: BATTERY, notify: true }, { property: 'quiet' });
      const missing = visit({ characteristicUUID: '2a6e', notify: true }, { property: 'missing' });
      const { properties } = await subscribe([quiet, missing, temperature], []);
      assert.deepEqual(properties, ['temperature']);
    });

    it('says nothing of bytes that are no value', async () => {
      const said: [string, DriverValue][] = [];
      const text = visit(
        { characteristicUUID: TEMPERATURE, notify: true },
        { property: 'text', type: 'STRING' },
      );
      await subscribe([text, button], said);
      await peer.set(ADDRESS, TEMPERATURE, 'ff');
      await peer.set(ADDRESS, BUTTON, '01');
      await eventually('the button is pressed', () => said.length > 0);
      assert.deepEqual(said, [['button', 1]]);
    });

    it('does not hide what is said behind what was read before', async () => {
      await subscribe([temperature], []);
      await peer.fault({ member: 'ReadValue', uuid: BATTERY, mute: true });
      const reading = site.values([temperature, battery]);
      await eventually('the second is read', async () => (await count('ReadValue')) === 2);
      await peer.set(ADDRESS, TEMPERATURE, 'd700');
      await peer.mend();
      assert.deepEqual(await reading, [0xd7, 87]);
    });

    it('ends them with the connection', async () => {
      const said: [string, DriverValue][] = [];
      await subscribe([temperature], said);
      await site.close();
      await peer.set(ADDRESS, TEMPERATURE, 'd700');
      site = await Site.open({ macAddress: ADDRESS });
      await site.values([temperature]);
      assert.deepEqual(said, []);
    });
  });

  describe('a connection that is lost', () => {
    /** What ends it, what it says, and how it comes back. */
    const ENDS: readonly (readonly [string, RegExp, () => Promise<void>, () => Promise<void>])[] = [
      ['the device ends it', /has ended the connection/, () => peer.hangUp(ADDRESS), async () => {}],
      ['the device goes out of reach', /ended/, () => peer.vanish(ADDRESS), () => peer.appear(ADDRESS)],
      [
        'the adapter is switched off',
        /ended|off/,
        () => peer.adapter('hci0', false),
        () => peer.adapter('hci0', true),
      ],
      [
        'the adapter is pulled out',
        /no Bluetooth adapter|gone/,
        () => peer.removeAdapter('hci0'),
        async () => {
          await peer.reset();
          await peer.put(sensor({ address: ADDRESS }));
        },
      ],
      ['bluetoothd dies', /bluetoothd has ended/, () => peer.killDaemon(), () => peer.startDaemon()],
    ];

    for (const [what, reason, cut, mend] of ENDS) {
      it(`${what}: says so, ends what is under way, and is made again`, async () => {
        const { lost } = site;
        await peer.fault({ member: 'ReadValue', mute: true });
        const reading = assert.rejects(site.values([battery]), ConnectionLost);
        await eventually('it reads', async () => (await count('ReadValue')) === 1);
        await cut();
        assert.match((await within('the loss', lost)).message, reason);
        await reading;
        await assert.rejects(site.values([battery]), ConnectionLost);
        await site.close();
        await mend();
        site = await Site.open({ macAddress: ADDRESS });
        assert.deepEqual(await site.values([battery]), [87]);
      });
    }

    it('the bus goes away: says so, ends what is under way, and is made again', async () => {
      const other = await BluezPeer.start();
      const back = useBus(other);
      try {
        await other.put(sensor({ address: ADDRESS }));
        const there = await Site.open({ macAddress: ADDRESS });
        await other.fault({ member: 'ReadValue', mute: true });
        const reading = assert.rejects(there.values([battery]), ConnectionLost);
        const { lost } = there;
        await other.killBus();
        assert.match((await within('the loss', lost)).message, /connection to D-Bus ended/);
        await reading;
        await within('the close', there.close());
      } finally {
        back();
        await other.stop();
      }
      await site.close();
      site = await Site.open({ macAddress: ADDRESS });
    });

    it('tells those who ask later', async () => {
      await peer.hangUp(ADDRESS);
      await assert.rejects(within('a reading', readUntilLost()), ConnectionLost);
      assert.match((await within('the loss', site.lost)).message, /ended/);

      async function readUntilLost(): Promise<never> {
        while (true) {
          await site.values([battery]);
          // What is answered without asking the device would keep its signals from being heard.
          await nextTurn();
        }
      }
    });

    it('leaves nothing behind, however often', async () => {
      await site.close();
      for (let round = 0; round < 20; round += 1) {
        site = await Site.open({ macAddress: ADDRESS });
        await subscribe([temperature], []);
        if (round % 2 === 0) await peer.hangUp(ADDRESS);
        await site.close();
      }
      const { connected, notifying, scanners } = await peer.state();
      assert.deepEqual({ connected, notifying, scanners }, { connected: [], notifying: [], scanners: 0 });
    });
  });
});
