import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { makeTempDir, scaled, type TempDir } from '@hawser/seams/testing';
import { EdgeStore } from '../../src/store/edge-store.ts';
import { makeDevice, makeModel } from '../../testing/device-maker.ts';
import { TwinSite } from '../../testing/twin-site.ts';

const DEVICES = 100;
const PROPERTIES = Array.from({ length: 20 }, (_, n) => `property-${n}`);
const MINUTES = scaled(5, 60);
/** Bars for an hour, KiB. */
const CONNECTED_KIB = 2_048;
const CUT_KIB = 10_240;

describe('Flash under 100 devices with 20 properties that change each second', function () {
  this.timeout(scaled(60_000, 10 * 60_000));
  let temp: TempDir;
  let store: EdgeStore;
  let site: TwinSite;

  before(async () => {
    temp = await makeTempDir();
    store = await EdgeStore.open({ dir: temp.path });
    site = new TwinSite(undefined, { snapshots: store.state });
    const properties = PROPERTIES.map((name) => ({ name, type: 'DOUBLE' as const }));
    const devices = Array.from({ length: DEVICES }, (_, n) => makeDevice(`d${n}`, { properties }));
    await site.start(makeModel('model', properties), ...devices);
  });

  after(async () => {
    await site.twins.stop();
    await site.directory.stop();
    await store.close();
    await temp.remove();
  });

  /** @returns KiB that an hour of it writes */
  async function run(connected: boolean): Promise<number> {
    site.twins.setConnected(connected);
    const before = writtenBytes();
    for (let second = 0; second < MINUTES * 60; second += 1) {
      for (let device = 0; device < DEVICES; device += 1) {
        const values = PROPERTIES.map((name) => [name, (Math.random() * 100).toFixed(3)]);
        site.twins.report('default', `d${device}`, Object.fromEntries(values) as Record<string, string>);
      }
      for (let part = 0; part < 4; part += 1) {
        await site.clock.advance(250);
        if (connected) site.cloud.take('device');
      }
    }
    await store.state.set('end', Uint8Array.of(site.cloud.reports.length % 256)); // all before it are written
    return ((writtenBytes() - before) / 1024) * (60 / MINUTES);
  }

  it('is left alone while the cloud takes what is reported', async () => {
    const { transactions } = store.counters();
    const kib = await run(true);
    assert.equal(store.counters().transactions - transactions, 1, 'that of the end');
    assert.ok(kib <= CONNECTED_KIB, `${Math.round(kib)} KiB an hour`);
  });

  it('is spared while the line is cut', async () => {
    const kib = await run(false);
    assert.equal(site.twins.amounts().snapshots, DEVICES);
    assert.ok(kib <= CUT_KIB, `${Math.round(kib)} KiB an hour`);
    const packed = site.twins.counters();
    assert.equal(packed.leftOut, 0);
  });

  it('is free again when the cloud has taken all', async () => {
    await run(true);
    assert.deepEqual(
      store.state.keys().filter((key) => key.startsWith('twin/')),
      [],
    );
  });
});

/** What this process has had written to block devices. Source: proc(5), /proc/pid/io. */
function writtenBytes(): number {
  const [, bytes = '0'] = /^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8')) ?? [];
  return Number(bytes);
}
