import assert from 'node:assert/strict';
import { makeDevice, makeModel } from '../../testing/device-maker.ts';
import { TwinSite } from '../../testing/twin-site.ts';
import { packSnapshot, unpackSnapshot } from '../../src/twins/twin-snapshot.ts';

const MODEL = makeModel('model', [{ name: 'a' }]);
const DEVICE = makeDevice('d', { properties: [{ name: 'a' }] });

describe('Twins on the disk', () => {
  let site: TwinSite;

  async function begin(): Promise<void> {
    site = new TwinSite();
    await site.start(MODEL, DEVICE);
    site.twins.setConnected(true);
    report(1);
    site.twins.reportState('default', 'd', 'online');
    await site.clock.advance(10);
    site.cloud.take('device');
  }

  const report = (a: number): void => void site.twins.report('default', 'd', { a: String(a) });
  const keys = (): readonly string[] => site.snapshots.keys();

  afterEach(async () => {
    await site.twins.stop();
    await site.directory.stop();
  });

  it('are none while the cloud takes what is reported', async () => {
    await begin();
    for (let second = 0; second < 300; second += 1) {
      report(second);
      await site.clock.advance(1_000);
      site.cloud.take('device');
    }
    assert.equal(site.snapshots.writes, 0);
  });

  it('are written 5 s after the cloud does not take them, then once in the period, and removed when it does', async () => {
    await begin();
    report(2);
    await site.clock.advance(2_000);
    assert.equal(site.cloud.waiting.size, 1);
    await site.clock.advance(3_900);
    assert.deepEqual(keys(), ['twin/default/d']);
    for (let second = 0; second < 180; second += 1) {
      report(second);
      await site.clock.advance(1_000);
    }
    assert.equal(site.snapshots.writes, 4);
    site.cloud.take('device');
    await site.clock.advance(10);
    assert.deepEqual(keys(), []);
    assert.equal(site.snapshots.writes, 5);
    assert.equal(site.twins.counters().removed, 1);
  });

  it('are written while the line is cut, and not where nothing has changed', async () => {
    await begin();
    site.twins.setConnected(false);
    await site.clock.advance(60_000);
    assert.equal(site.snapshots.writes, 0);
    report(5);
    await site.clock.advance(4_000);
    assert.equal(site.snapshots.writes, 0);
    await site.clock.advance(2_000);
    assert.equal(site.snapshots.writes, 1);
    await site.clock.advance(600_000);
    assert.equal(site.snapshots.writes, 1);
    site = site.restarted();
    await site.start();
    assert.equal(site.twins.view('default', 'd')?.twins[0]?.reported?.value, '5');
  });

  it('are written at a stop, with what the cloud has not taken', async () => {
    await begin();
    await site.clock.advance(10_000);
    report(6);
    await site.clock.advance(100);
    await site.twins.stop();
    assert.deepEqual(keys(), ['twin/default/d']);
  });

  it('go after a restart when the cloud has taken the device, or the device is another one', async () => {
    await begin();
    site.twins.setConnected(false);
    report(7);
    await site.clock.advance(10_000);
    const before = site;
    site = before.restarted();
    await site.start();
    site.twins.setConnected(true);
    await site.clock.advance(20_000);
    site.cloud.take('device');
    assert.equal(site.cloud.reports[0]?.twins[0]?.reported?.value, '7');
    await site.clock.advance(10);
    assert.deepEqual(keys(), []);
    await site.twins.stop();
    site = before.restarted();
    await site.start(makeDevice('d', { uid: 'another', properties: [{ name: 'a' }] }));
    assert.equal(site.twins.view('default', 'd')?.twins[0]?.reported, undefined);
    assert.deepEqual(keys(), []);
  });

  it('are tried again where the disk refuses, and old ones do not stay', async () => {
    await begin();
    site.twins.setConnected(false);
    report(8);
    site.snapshots.failure = new Error('full');
    await site.clock.advance(10_000);
    assert.equal(site.snapshots.writes, 0);
    assert.ok(site.twins.counters().failedWrites > 0);
    site.snapshots.failure = undefined;
    await site.clock.advance(70_000);
    assert.equal(site.snapshots.writes, 1);
    site.snapshots.failure = new Error('full');
    site.twins.setConnected(true);
    await site.clock.advance(1_000);
    site.cloud.take('device');
    await site.clock.advance(100);
    assert.equal(keys().length, 1);
    site.snapshots.failure = undefined;
    await site.clock.advance(11_000);
    assert.deepEqual(keys(), []);
  });

  it('are small, and go without their longest values where they are too large', () => {
    const values = Object.fromEntries(
      Array.from({ length: 20 }, (_, n) => [`property-${n}`, { value: String(20 + n / 10), atMs: 1e12 + n }]),
    );
    const packed = packSnapshot({ uid: 'u', values, lastOnlineMs: 5 }, 10_000);
    assert.ok(packed.bytes.length < 300, `${packed.bytes.length} bytes`);
    assert.deepEqual(unpackSnapshot(packed.bytes), { uid: 'u', values, lastOnlineMs: 5 });
    const long = { value: Array.from({ length: 3_000 }, () => Math.random()).join(), atMs: 1 };
    const fitted = packSnapshot({ uid: 'u', values: { ...values, long } }, 1_000);
    assert.ok(fitted.bytes.length <= 1_000 && fitted.leftOut > 0);
    assert.equal(unpackSnapshot(fitted.bytes)?.values['long'], undefined);
    const none = packSnapshot({ uid: 'u', values: { long } }, 1_000);
    assert.deepEqual(unpackSnapshot(none.bytes)?.values, {});
    for (const wrong of ['', 'x', '[]', '["u",0,0,[[1]]]'])
      assert.equal(unpackSnapshot(Buffer.from(wrong)), undefined);
  });
});
