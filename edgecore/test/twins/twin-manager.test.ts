import assert from 'node:assert/strict';
import type { UpstreamBodies } from '@hawser/sync';
import { makeDevice, makeModel, type MadeDeviceProperty } from '../../testing/device-maker.ts';
import { TwinSite } from '../../testing/twin-site.ts';

const MODEL = makeModel('model', [{ name: 'a' }, { name: 'b', type: 'DOUBLE', accessMode: 'ReadOnly' }]);

function device(name: string, ...properties: readonly MadeDeviceProperty[]): Record<string, unknown> {
  const given = properties.length === 0 ? [{ name: 'a' }, { name: 'b' }] : properties;
  return makeDevice(name, { properties: given });
}

/** Reported values of a body, by property. */
function valuesOf(body: UpstreamBodies['device'] | undefined): Record<string, string> {
  return Object.fromEntries(
    (body?.twins ?? []).flatMap(({ propertyName, reported }) =>
      reported === undefined ? [] : [[propertyName, reported.value]],
    ),
  );
}

describe('Twins of a node', () => {
  let site: TwinSite;

  /** A device that is known to the cloud, and of which everything was said. */
  async function served(...objects: readonly Record<string, unknown>[]): Promise<void> {
    site = new TwinSite();
    await site.start(MODEL, ...(objects.length === 0 ? [device('d')] : objects));
    site.twins.setConnected(true);
    for (const { name } of site.twins.views()) {
      site.twins.reportState('default', name, 'online');
      site.twins.report('default', name, { a: '1', b: '1.5' });
    }
    await site.clock.advance(2_000);
    for (let n = 0; n < objects.length + 1; n += 1) {
      site.cloud.take('device');
      await site.clock.advance(1_000);
    }
    site.cloud.take('device');
    site.cloud.reports.length = 0;
  }

  const last = (): UpstreamBodies['device'] | undefined => site.cloud.reports.at(-1);

  afterEach(async () => {
    await site.twins.stop();
    await site.directory.stop();
  });

  describe('say to the cloud', () => {
    it('all twins, state and condition of a device, once they are known', async () => {
      site = new TwinSite();
      await site.start(MODEL, device('d', { name: 'a', desired: { value: '4' } }, { name: 'b' }));
      site.twins.setConnected(true);
      await site.clock.advance(500);
      assert.equal(site.cloud.waiting.size, 0, 'nothing is known yet');
      site.twins.reportState('default', 'd', 'online');
      site.twins.report('default', 'd', { a: '1', b: '1.50' }, 1234);
      await site.clock.advance(1);
      site.cloud.take('device');
      const timestamp = '1234';
      assert.deepEqual(last(), {
        ...{ namespace: 'default', name: 'd', uid: 'uid-d', state: 'online' },
        lastOnlineTime: '2026-01-01T00:00:00Z',
        served: { status: 'True', reason: 'Served', message: '' },
        twins: [
          {
            propertyName: 'a',
            reported: { value: '1', metadata: { timestamp, type: 'INT' } },
            observedDesired: { value: '4' },
          },
          { propertyName: 'b', reported: { value: '1.5', metadata: { timestamp, type: 'DOUBLE' } } },
        ],
      });
    });

    it('what is known after a second, or that nothing is after 15', async () => {
      site = new TwinSite();
      await site.start(MODEL, device('d'), device('mute'));
      site.twins.setConnected(true);
      site.twins.report('default', 'd', { a: '1' });
      await site.clock.advance(1_001);
      site.cloud.take('device');
      assert.deepEqual(valuesOf(last()), { a: '1' });
      assert.equal(site.cloud.reports.length, 1);
      await site.clock.advance(14_000);
      site.cloud.take('device');
      assert.equal(site.cloud.reports.length, 2);
      assert.equal(last()?.name, 'mute');
      assert.equal(last()?.state, 'unknown');
      assert.deepEqual(last()?.served, {
        ...{ status: 'Unknown', reason: 'NoMapper' },
        message: 'the mapper of virtual has not said anything yet',
      });
    });

    it('a change at once, the next in its cycle, and the last value always', async () => {
      await served();
      await site.clock.advance(5_000);
      site.twins.report('default', 'd', { a: '2' });
      await site.clock.advance(1);
      site.cloud.take('device');
      assert.deepEqual(valuesOf(last()), { a: '2', b: '1.5' });
      const { coalesced } = site.twins.counters();
      for (const a of ['3', '4', '5']) {
        await site.clock.advance(100);
        site.twins.report('default', 'd', { a });
      }
      await site.clock.advance(600);
      assert.equal(site.cloud.waiting.size, 0, 'its cycle is not over');
      await site.clock.advance(200);
      site.cloud.take('device');
      assert.deepEqual(valuesOf(last()), { a: '5', b: '1.5' });
      await site.clock.advance(10_000);
      assert.equal(site.cloud.waiting.size, 0);
      assert.equal(site.cloud.reports.length, 2);
      assert.equal(site.twins.counters().coalesced - coalesced, 2);
    });

    it('a new desired value together with what the device then has, or what its mapper says', async () => {
      const wanting = (value: string): Record<string, unknown> =>
        device('d', { name: 'a', desired: { value } }, { name: 'b' });
      const observed = (): string | undefined => last()?.twins[0]?.observedDesired?.value;
      await served(wanting('1'));
      await site.clock.advance(10_000);
      await site.put(wanting('2'));
      await site.clock.advance(50);
      assert.equal(site.cloud.waiting.size, 0);
      site.twins.report('default', 'd', { a: '2' });
      await site.clock.advance(1);
      site.cloud.take('device');
      assert.deepEqual([valuesOf(last())['a'], observed()], ['2', '2']);
      await site.clock.advance(10_000);
      await site.put(wanting('3'));
      const version = site.twins.expected('default/d')?.get('a')?.version ?? '';
      site.twins.settle('default', 'd', { a: { version, ok: false } });
      await site.clock.advance(1);
      site.cloud.take('device');
      assert.deepEqual([valuesOf(last())['a'], observed()], ['2', '3']);
      await site.clock.advance(10_000);
      await site.put(wanting('4'));
      await site.clock.advance(999);
      assert.equal(site.cloud.waiting.size, 0);
      await site.clock.advance(2);
      site.cloud.take('device');
      assert.equal(observed(), '4', 'though nobody says anything of it');
      assert.equal(site.cloud.reports.length, 3);
    });

    it('a property no more often than its own cycle, whatever others do', async () => {
      await served(device('d', { name: 'a', reportCycle: 10_000 }, { name: 'b', reportCycle: 1_000 }));
      await site.clock.advance(10_000);
      site.twins.report('default', 'd', { a: '2', b: '2' });
      await site.clock.advance(1);
      site.cloud.take('device');
      await site.clock.advance(2_000);
      site.twins.report('default', 'd', { a: '3', b: '3' });
      await site.clock.advance(1);
      site.cloud.take('device');
      assert.deepEqual(valuesOf(last()), { a: '2', b: '3' });
      await site.clock.advance(8_000);
      site.cloud.take('device');
      assert.deepEqual(valuesOf(last()), { a: '3', b: '3' });
    });

    it('nothing of a change within the dead band, nor of what stays at the edge', async () => {
      const annotations = { 'hawser.dev/dead-band.b': '0.5' };
      const properties = [{ name: 'a', reportToCloud: false }, { name: 'b' }];
      await served(makeDevice('d', { properties, annotations }));
      site.twins.report('default', 'd', { a: '7', b: '1.9' });
      await site.clock.advance(5_000);
      assert.equal(site.cloud.waiting.size, 0);
      site.twins.report('default', 'd', { b: '2.1' });
      await site.clock.advance(5_000);
      site.cloud.take('device');
      assert.deepEqual(
        last()?.twins.map(({ propertyName }) => propertyName),
        ['b'],
      );
      assert.deepEqual(valuesOf(last()), { b: '2.1' });
      assert.equal(site.twins.view('default', 'd')?.twins[0]?.reported?.value, '7');
    });

    it('no more than it may in a second, each device in its turn', async () => {
      const names = Array.from({ length: 30 }, (_, n) => `d${n}`);
      site = new TwinSite(undefined, { reportsPerSecond: 10 });
      await site.start(MODEL, ...names.map((name) => device(name)));
      site.twins.setConnected(true);
      const sent: string[] = [];
      for (let tick = 0; tick < 60; tick += 1) {
        for (const name of names) {
          site.twins.reportState('default', name, 'online');
          site.twins.report('default', name, { a: String(tick), b: '1' });
        }
        await site.clock.advance(100);
        site.cloud.take('device');
        sent.push(...site.cloud.reports.splice(0).map(({ name }) => name));
      }
      assert.ok(sent.length >= 57 && sent.length <= 64, `${sent.length} reports in 6 s`);
      assert.deepEqual(new Set(sent.slice(0, 30)), new Set(names), 'nobody twice before everybody once');
      assert.ok(site.twins.counters().paced > 0);
    });

    it('what is so by then where the cloud asks for it again', async () => {
      await served();
      site.twins.report('default', 'd', { a: '2' });
      await site.clock.advance(1_000);
      site.cloud.take('device', 429);
      assert.deepEqual(valuesOf(last()), { a: '2', b: '1.5' });
      await site.clock.advance(1_000);
      site.twins.report('default', 'd', { a: '3' });
      site.cloud.take('device');
      assert.deepEqual(valuesOf(last()), { a: '3', b: '1.5' });
      await site.clock.advance(5_000);
      assert.equal(site.cloud.waiting.size, 0);
      assert.equal(site.twins.counters().reportsRetried, 1);
    });

    it('nothing again that the cloud refuses for good, but the next change', async () => {
      await served();
      site.twins.report('default', 'd', { a: '2' });
      await site.clock.advance(1_000);
      site.cloud.take('device', 404);
      await site.clock.advance(10_000);
      assert.equal(site.cloud.waiting.size, 0);
      site.twins.report('default', 'd', { a: '3' });
      await site.clock.advance(1_000);
      assert.equal(site.cloud.waiting.size, 1);
    });

    it('everything once more when it is asked for', async () => {
      await served();
      await site.clock.advance(10_000);
      site.twins.repeat();
      await site.clock.advance(1);
      site.cloud.take('device');
      assert.deepEqual(valuesOf(last()), { a: '1', b: '1.5' });
    });

    it('when the device last answered, but no more often than once in a minute for that alone', async () => {
      await served();
      for (let second = 0; second < 130; second += 1) {
        site.twins.report('default', 'd', { a: '1' });
        await site.clock.advance(1_000);
        site.cloud.take('device');
      }
      assert.equal(site.cloud.reports.length, 2);
      assert.notEqual(site.cloud.reports[0]?.lastOnlineTime, last()?.lastOnlineTime);
    });

    it('that the mapper refuses the device, until it does not any more', async () => {
      await served();
      const problem = { path: '/spec/protocol/configData/port', message: 'is taken', remedy: 'Use another.' };
      site.twins.refuse('default', 'd', [problem]);
      await site.clock.advance(1_000);
      site.cloud.take('device');
      assert.deepEqual(last()?.served, {
        ...{ status: 'False', reason: 'Refused' },
        message: '/spec/protocol/configData/port is taken',
      });
      assert.deepEqual(site.twins.view('default', 'd')?.problems, [problem]);
      site.twins.refuse('default', 'd', []);
      await site.clock.advance(1_000);
      site.cloud.take('device');
      assert.equal(last()?.served?.status, 'True');
    });

    it('that a mapper is silent, and what it says when it speaks again', async () => {
      await served();
      site.twins.setSilent('virtual', true);
      site.twins.setSilent('another', true);
      await site.clock.advance(1_000);
      site.cloud.take('device');
      assert.equal(last()?.state, 'unknown');
      assert.equal(last()?.served?.reason, 'NoMapper');
      site.twins.setSilent('virtual', false);
      await site.clock.advance(1_000);
      site.cloud.take('device');
      assert.equal(last()?.state, 'online');
      site.twins.forgetStates('virtual');
      assert.equal(site.twins.view('default', 'd')?.state, 'unknown');
    });

    it('what is wrong with a device, of which the last valid version stays in force', async () => {
      await served();
      const broken = device('d', { name: 'a', desired: { value: 'x' } }, { name: 'b' });
      await site.put(broken);
      await site.clock.advance(1_000);
      site.cloud.take('device');
      assert.equal(last()?.served?.reason, 'Invalid');
      assert.match(
        last()?.served?.message ?? '',
        /^the last valid version is in force; \/spec\/properties\/0/,
      );
      assert.deepEqual(valuesOf(last()), { a: '1', b: '1.5' });
    });

    it('nothing of a device that is gone', async () => {
      await served();
      site.twins.report('default', 'd', { a: '2' });
      await site.clock.advance(1_000);
      assert.equal(site.cloud.waiting.size, 1);
      await site.remove('d');
      assert.equal(site.cloud.waiting.size, 0);
      assert.equal(site.twins.view('default', 'd'), undefined);
      assert.throws(() => site.twins.report('default', 'd', { a: '3' }), { code: 'ERR_DEVICES_UNKNOWN' });
    });
  });

  describe('take from mappers', () => {
    it('what fits, value by value', async () => {
      await served();
      const refused = site.twins.report('default', 'd', { a: '2', b: 'warm', c: '1' });
      assert.deepEqual(Object.keys(refused), ['b', 'c']);
      assert.match(refused['b'] ?? '', /^b must be a number/);
      assert.equal(refused['c'], 'default/d has no property c');
      assert.equal(site.twins.view('default', 'd')?.twins[0]?.reported?.value, '2');
      assert.equal(site.twins.counters().refusedValues, 2);
    });

    it('what became of the present setting, and of no other', async () => {
      await served(device('d', { name: 'a', desired: { value: '4' } }, { name: 'b' }));
      const version = site.twins.expected('default/d')?.get('a')?.version ?? '';
      site.twins.settle('default', 'd', { a: { version: 'old', ok: true }, b: { version, ok: true } });
      assert.equal(site.twins.view('default', 'd')?.twins[0]?.expected?.settled, undefined);
      site.twins.settle('default', 'd', { a: { version, ok: false, message: 'no answer' } });
      const { settled } = site.twins.view('default', 'd')?.twins[0]?.expected ?? {};
      assert.deepEqual(settled, { ok: false, message: 'no answer', atMs: site.clock.wallMs() });
      await site.put(device('d', { name: 'a', desired: { value: '5' } }, { name: 'b' }));
      assert.equal(site.twins.view('default', 'd')?.twins[0]?.expected?.settled, undefined);
    });
  });
});
