import assert from 'node:assert/strict';
import { makeDevice, makeModel } from '../../testing/device-maker.ts';
import { TwinSite } from '../../testing/twin-site.ts';

const MODEL = makeModel('model', [
  { name: 'a', maximum: '100' },
  { name: 'b' },
  { name: 'fixed', accessMode: 'ReadOnly' },
  { name: 'text', type: 'STRING' },
]);
type Desired = Readonly<Record<string, { value: string; metadata?: Readonly<Record<string, string>> }>>;

function device(desired: Desired = {}, decided?: Readonly<Record<string, string>>): Record<string, unknown> {
  const entries = Object.entries(decided ?? {}).map(([name, id]) => [name, [id, 'hash']]);
  const annotations = { 'hawser.dev/edge-settings': JSON.stringify(Object.fromEntries(entries)) };
  const properties = ['a', 'b', 'fixed', 'text'].map((name) => {
    const value = desired[name];
    return value === undefined ? { name } : { name, desired: value };
  });
  return makeDevice('d', { properties, ...(decided !== undefined && { annotations }) });
}

describe('Settings made at the edge', () => {
  let site: TwinSite;

  async function begin(desired: Desired = { a: { value: '1' } }): Promise<void> {
    site = new TwinSite();
    await site.start(MODEL, device(desired));
  }

  const expected = (property = 'a'): { value: string; from: string } | undefined => {
    const view = site.twins.view('default', 'd')?.twins.find((twin) => twin.property === property);
    return view?.expected && { value: view.expected.value, from: view.expected.from };
  };
  const set = (values: Readonly<Record<string, string>>): Promise<void> =>
    site.twins.set('default', 'd', values);
  const kept = (): string | undefined => site.state.values.get('twin-setting/default/d');

  afterEach(async () => {
    await site.twins.stop();
    await site.directory.stop();
  });

  it('are in force once they are durable, and told to the cloud with what they were made over', async () => {
    await begin();
    const changes: string[] = [];
    site.twins.listen(({ properties }) => changes.push(properties.join()));
    await set({ a: '7' });
    assert.deepEqual(expected(), { value: '7', from: 'edge' });
    assert.deepEqual(changes, ['a']);
    assert.ok(kept()?.includes('"7"'));
    site.cloud.take('device-setting');
    const metadata = { timestamp: String(Date.UTC(2026, 0, 1)) };
    assert.deepEqual(site.cloud.told, [
      {
        ...{ namespace: 'default', name: 'd', uid: 'uid-d' },
        settings: [{ property: 'a', id: 'setting-1', value: '7', metadata, over: { value: '1' } }],
      },
    ]);
  });

  it('become those of the cloud without being written to the device again', async () => {
    await begin();
    await set({ a: '7' });
    const version = site.twins.expected('default/d')?.get('a')?.version;
    site.cloud.take('device-setting');
    const { settings = [] } = site.cloud.told[0] ?? {};
    const { value = '', metadata = {} } = settings[0] ?? {};
    await site.put(device({ a: { value, metadata } }, { a: 'setting-1' }));
    assert.deepEqual(expected(), { value: '7', from: 'cloud' });
    assert.equal(site.twins.expected('default/d')?.get('a')?.version, version);
    await site.clock.advance(0);
    assert.equal(kept(), undefined);
    assert.deepEqual(site.superseded, []);
    assert.equal(site.cloud.waiting.size, 0);
  });

  it('give way to what the cloud has set without knowing of them', async () => {
    await begin();
    await set({ a: '7', b: '8' });
    await site.put(device({ a: { value: '2' } }));
    assert.deepEqual(expected(), { value: '2', from: 'cloud' });
    assert.deepEqual(expected('b'), { value: '8', from: 'edge' });
    assert.deepEqual(site.superseded, ['default/d a=7']);
    site.cloud.take('device-setting');
    assert.deepEqual(
      site.cloud.told[0]?.settings.map(({ property }) => property),
      ['b'],
    );
    await site.clock.advance(0);
    assert.ok(kept()?.includes('"b"') === true && !kept()?.includes('"a"'));
  });

  it('that the hub has told of itself are told by nobody else', async () => {
    await begin();
    await set({ a: '7' });
    site.cloud.take('device-setting');
    await site.put(device({ a: { value: '1' } }, { a: 'setting-1' }));
    assert.deepEqual(expected(), { value: '1', from: 'cloud' });
    assert.deepEqual(site.superseded, []);
    assert.equal(site.twins.counters().settingsSuperseded, 1);
  });

  it('are told one after the other, each over the one before', async () => {
    await begin();
    await set({ a: '7' });
    await set({ a: '8' });
    await set({ a: '9' });
    assert.deepEqual(expected(), { value: '9', from: 'edge' });
    site.cloud.take('device-setting');
    const first = site.cloud.told[0]?.settings[0];
    assert.equal(first?.value, '7');
    assert.equal(site.cloud.waiting.size, 0, 'its fate is waited for');
    await site.put(device({ a: { value: '7', metadata: first.metadata ?? {} } }, { a: 'setting-1' }));
    site.cloud.take('device-setting');
    const second = site.cloud.told[1]?.settings[0];
    assert.deepEqual([second?.value, second?.over?.value], ['9', '7']);
    assert.ok(Number(second?.metadata?.['timestamp']) > Number(first.metadata?.['timestamp']));
  });

  it('are set anew where they are set to the same value, even in the same millisecond', async () => {
    await begin();
    await set({ a: '7' });
    const version = site.twins.expected('default/d')?.get('a')?.version;
    await set({ a: '7' });
    assert.notEqual(site.twins.expected('default/d')?.get('a')?.version, version);
  });

  it('are taken in one text, or all refused', async () => {
    await begin();
    await set({ a: '+007' });
    assert.equal(expected()?.value, '7');
    await assert.rejects(set({ b: '1', a: '101' }), { code: 'ERR_DEVICES_VALUE' });
    await assert.rejects(set({ b: '1', fixed: '1' }), { code: 'ERR_DEVICES_READ_ONLY' });
    await assert.rejects(set({ b: '1', none: '1' }), { code: 'ERR_DEVICES_UNKNOWN' });
    await assert.rejects(site.twins.set('default', 'none', { a: '1' }), { code: 'ERR_DEVICES_UNKNOWN' });
    assert.equal(expected('b'), undefined);
    assert.equal(expected()?.value, '7');
  });

  it('are not in force where the disk does not take them', async () => {
    await begin();
    site.state.failure = new Error('the disk is full');
    await assert.rejects(set({ a: '7' }), /full/);
    assert.deepEqual(expected(), { value: '1', from: 'cloud' });
    assert.equal(site.cloud.waiting.size, 0);
    site.state.failure = undefined;
    await set({ a: '8' });
    assert.deepEqual(expected(), { value: '8', from: 'edge' });
  });

  it('are bounded', async () => {
    await begin();
    const long = 'x'.repeat(16_000);
    await set({ text: long });
    await set({ text: `${long}y` });
    const many = Array.from({ length: 70 }, () =>
      set({ a: '1' }).then(
        () => 'set',
        (error: unknown) => (error as Error).message,
      ),
    );
    const outcomes = await Promise.all(many);
    assert.equal(outcomes.filter((outcome) => outcome.includes('settings wait for the disk')).length, 6);
    const large = makeModel(
      'model',
      Array.from({ length: 5 }, (_, n) => ({ name: `t${n}`, type: 'STRING' })),
    );
    const properties = Array.from({ length: 5 }, (_, n) => ({ name: `t${n}` }));
    await site.put(large, makeDevice('e', { properties }));
    for (const name of ['t0', 't1', 't2']) await site.twins.set('default', 'e', { [name]: long });
    await assert.rejects(site.twins.set('default', 'e', { t3: long }), { code: 'ERR_DEVICES_BUSY' });
    await site.twins.set('default', 'e', { t4: 'short' });
  });

  /** Has the disk take its time for settings. @returns lets it go on */
  function slowDisk(): () => void {
    const write = site.state.write.bind(site.state);
    const waiting: (() => void)[] = [];
    site.state.write = async (...change) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      await write(...change);
    };
    return () => {
      site.state.write = write;
      for (const resolve of waiting) resolve();
    };
  }

  it('give way to what the cloud has set while they were written', async () => {
    await begin();
    const goOn = slowDisk();
    const written = set({ a: '7' });
    await site.clock.advance(0);
    await site.put(device({ a: { value: '2' } }));
    goOn();
    await written;
    assert.deepEqual(expected(), { value: '2', from: 'cloud' });
    assert.deepEqual(site.superseded, ['default/d a=7']);
    assert.equal(kept(), undefined);
  });

  it('stand over others that the cloud has taken while they were written, after a power cut too', async () => {
    await begin();
    await set({ a: '7' });
    await set({ a: '8' });
    const goOn = slowDisk();
    const written = set({ a: '9' });
    await site.clock.advance(0);
    site.cloud.take('device-setting');
    const first = { value: '7', metadata: site.cloud.told[0]?.settings[0]?.metadata ?? {} };
    await site.put(device({ a: first }, { a: 'setting-1' }));
    site.cloud.take('device-setting');
    const second = { value: '8', metadata: site.cloud.told[1]?.settings[0]?.metadata ?? {} };
    await site.put(device({ a: second }, { a: 'setting-2' }));
    goOn();
    await written;
    assert.deepEqual(expected(), { value: '9', from: 'edge' });
    site = site.restarted();
    await site.start();
    assert.deepEqual(expected(), { value: '9', from: 'edge' });
    site.cloud.take('device-setting');
    const [told] = site.cloud.told[0]?.settings ?? [];
    assert.deepEqual([told?.value, told?.over?.value], ['9', '8']);
  });

  it('are told again in a minute where nothing shows what became of them', async () => {
    await begin();
    await set({ a: '7' });
    site.cloud.take('device-setting');
    assert.equal(site.cloud.waiting.size, 0);
    await site.clock.advance(59_000);
    assert.equal(site.cloud.waiting.size, 0);
    await site.clock.advance(1_001);
    site.cloud.take('device-setting', 503);
    assert.equal(site.cloud.waiting.size, 1, 'the outbox asks for it again');
    assert.equal(site.cloud.told.length, 2);
  });

  it('survive a power cut, in force and told', async () => {
    await begin();
    await set({ a: '7' });
    site = site.restarted();
    await site.start();
    assert.deepEqual(expected(), { value: '7', from: 'edge' });
    site.cloud.take('device-setting');
    assert.equal(site.cloud.told[0]?.settings[0]?.id, 'setting-1');
  });

  it('survive a cut of the line with changes at both ends, and a power cut in it', async () => {
    await begin({ a: { value: '1' }, b: { value: '1' } });
    site.twins.setConnected(true);
    site.twins.setConnected(false);
    await set({ a: '7', b: '7' });
    site.twins.report('default', 'd', { a: '7', b: '7', fixed: '3', text: 'x' });
    await site.clock.advance(3_600_000);
    site = site.restarted();
    await site.start();
    assert.equal(site.twins.view('default', 'd')?.twins[2]?.reported?.value, '3');
    await set({ a: '8' });
    // The line is back; in the cloud somebody has set b meanwhile.
    await site.put(device({ a: { value: '1' }, b: { value: '2' } }));
    site.twins.setConnected(true);
    assert.deepEqual(expected('b'), { value: '2', from: 'cloud' });
    assert.deepEqual(site.superseded, ['default/d b=7']);
    site.cloud.take('device-setting');
    const told = site.cloud.told[0]?.settings ?? [];
    assert.deepEqual(
      told.map(({ property, value, over }) => [property, value, over?.value]),
      [['a', '7', '1']],
    );
    const first = { value: '7', metadata: told[0]?.metadata ?? {} };
    await site.put(device({ a: first, b: { value: '2' } }, { a: told[0]?.id ?? '' }));
    site.cloud.take('device-setting');
    const [second] = site.cloud.told[1]?.settings ?? [];
    assert.deepEqual([second?.value, second?.over?.value], ['8', '7']);
    await site.put(device({ a: { value: '8', metadata: second?.metadata ?? {} }, b: { value: '2' } }));
    assert.deepEqual(expected(), { value: '8', from: 'cloud' });
    await site.clock.advance(20_000);
    site.cloud.take('device');
    const { twins = [] } = site.cloud.reports.at(-1) ?? {};
    assert.deepEqual(
      twins.map(({ reported, observedDesired }) => [reported?.value, observedDesired?.value]),
      [
        ['7', '8'],
        ['7', '2'],
        ['3', undefined],
        ['x', undefined],
      ],
    );
    await site.clock.advance(10);
    assert.deepEqual([...site.snapshots.values.keys(), ...site.state.values.keys()], []);
  });

  it('are forgotten with their device, and are none of another one of its name', async () => {
    await begin();
    await set({ a: '7' });
    await site.put(makeDevice('d', { uid: 'another', properties: [{ name: 'a' }] }));
    assert.equal(expected(), undefined);
    await site.clock.advance(0);
    assert.equal(kept(), undefined);
    await set({ a: '8' });
    await site.remove('d');
    await site.clock.advance(0);
    assert.equal(kept(), undefined);
  });

  it('are kept for a device that the disk has lost, until it is there again', async () => {
    await begin();
    await set({ a: '7' });
    const before = site;
    site = before.restarted();
    site.mayLack = true;
    await site.lose('devices.devices.kubeedge.io/default/d');
    await site.start();
    assert.equal(site.twins.view('default', 'd'), undefined);
    site.twins.whole();
    assert.ok(kept() !== undefined);
    site.lost.clear();
    await site.put(device({ a: { value: '1' } }));
    assert.deepEqual(expected(), { value: '7', from: 'edge' });
  });

  it('are kept for a device that is not valid after a restart, and in force when it is', async () => {
    await begin();
    await set({ a: '7', b: '8' });
    const before = site;
    site = before.restarted();
    await site.start(makeDevice('d', { model: 'none' }));
    await site.clock.advance(1_000);
    assert.ok(kept() !== undefined);
    assert.equal(site.cloud.waiting.size, 0);
    await site.put(device({ a: { value: '1' } }));
    assert.deepEqual(expected(), { value: '7', from: 'edge' });
    assert.deepEqual(expected('b'), { value: '8', from: 'edge' });
    assert.equal(site.cloud.waiting.size, 1);
  });

  it('are kept for a device that cannot be read at the start', async () => {
    await begin();
    await set({ a: '7' });
    const before = site;
    site = before.restarted();
    const read = site.replica.read.bind(site.replica);
    site.replica.read = () => Promise.reject(new Error('busy'));
    await site.start();
    site.twins.whole();
    assert.ok(kept() !== undefined);
    site.replica.read = read;
    await site.clock.advance(5_000);
    assert.deepEqual(expected(), { value: '7', from: 'edge' });
  });

  it('go with a device that could not be read before it was taken away', async () => {
    await begin();
    await set({ a: '7' });
    const before = site;
    site = before.restarted();
    site.replica.read = () => Promise.reject(new Error('busy'));
    await site.start();
    await site.remove('d');
    await site.clock.advance(10);
    assert.equal(kept(), undefined);
  });

  it('that cannot be read any more are passed over', async () => {
    await begin();
    site = site.restarted();
    site.state.values.set('twin-setting/default/d', '{"uid":1}');
    site.state.values.set('twin-setting/default/gone', '{"uid":"x","settings":{}}');
    await site.start();
    await site.clock.advance(0);
    assert.deepEqual(expected(), { value: '1', from: 'cloud' });
    assert.deepEqual([...site.state.values.keys()], []);
  });
});
