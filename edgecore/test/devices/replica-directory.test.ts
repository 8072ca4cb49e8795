import assert from 'node:assert/strict';
import type { DirectoryEntry } from '../../src/devices/device-directory.ts';
import { makeDevice, makeModel } from '../../testing/device-maker.ts';
import { TwinSite } from '../../testing/twin-site.ts';

const MODEL = makeModel('model', [{ name: 'a' }, { name: 'b' }]);
const MODEL_KEY = 'devicemodels.devices.kubeedge.io/default/model';
const DEVICE_KEY = 'devices.devices.kubeedge.io/default/d';

describe('The directory of devices', () => {
  let site: TwinSite;
  let heard: (DirectoryEntry | string)[];

  async function begin(...objects: readonly Record<string, unknown>[]): Promise<void> {
    site = new TwinSite();
    heard = [];
    await site.put(...objects);
    site.directory.listen((id, entry) => heard.push(entry ?? `${id} gone`));
    await site.directory.start();
  }

  const entry = (): DirectoryEntry | undefined => site.directory.get('default', 'd');
  const made = (value?: string, uid?: string): Record<string, unknown> =>
    makeDevice('d', {
      ...(uid !== undefined && { uid }),
      properties: [{ name: 'a', ...(value !== undefined && { desired: { value } }) }],
    });

  afterEach(() => site.directory.stop());

  it('has the devices that are on the disk, with their models', async () => {
    await begin(MODEL, made('4'), makeDevice('e', { properties: [{ name: 'b' }] }));
    assert.deepEqual(
      site.directory.list().map(({ id }) => id),
      ['default/d', 'default/e'],
    );
    assert.equal(entry()?.device?.properties.length, 2, 'that of the model that it does not name, too');
    assert.equal(entry()?.desired.get('a')?.value, '4');
    assert.equal(heard.length, 2);
    assert.ok(site.directory.has('default', 'd') && !site.directory.has('default', 'none'));
  });

  it('waits for a model that comes later, and follows it', async () => {
    await begin(made());
    assert.equal(entry()?.device, undefined);
    assert.match(entry()?.problems[0]?.message ?? '', /is not there/);
    await site.put(MODEL);
    assert.deepEqual(entry()?.problems, []);
    await site.put(makeModel('model', [{ name: 'a', type: 'DOUBLE' }]));
    assert.equal(entry()?.device?.properties[0]?.type, 'DOUBLE');
    assert.equal(heard.length, 3);
  });

  it('tells nothing where nothing of a device is another', async () => {
    await begin(MODEL, made('4'));
    const before = entry();
    await site.put(makeModel('other', [{ name: 'a' }]));
    await site.put({ ...made('4'), status: { state: 'online' } });
    assert.equal(heard.length, 1);
    await site.put(made('5'));
    assert.equal(heard.length, 2);
    assert.equal(entry()?.device, before?.device, 'the same device, with another desired value');
  });

  it('keeps the last valid version in force', async () => {
    await begin(MODEL, made('4'));
    await site.put(makeDevice('d', { properties: [{ name: 'nonsense' }] }));
    assert.equal(entry()?.device?.properties[0]?.name, 'a');
    assert.equal(entry()?.desired.get('a')?.value, '4');
    assert.equal(entry()?.problems.length, 1);
    await site.put(made('5'));
    assert.deepEqual(entry()?.problems, []);
    await site.replica.apply('node/edge-1', [{ remove: MODEL_KEY }]);
    await site.clock.advance(0);
    assert.equal(entry()?.device?.properties.length, 2);
    assert.match(entry()?.problems[0]?.message ?? '', /is not there/);
  });

  it('knows another device of the same name', async () => {
    await begin(MODEL, made('4'));
    await site.put(made('5', 'another'));
    assert.deepEqual(heard.slice(1), ['default/d gone', entry()]);
    assert.equal(entry()?.uid, 'another');
    await site.remove('d');
    assert.equal(heard.at(-1), 'default/d gone');
    assert.equal(entry(), undefined);
  });

  it('does not take what the disk has lost for gone', async () => {
    await begin(MODEL, made('4'));
    await site.lose(DEVICE_KEY);
    await site.lose(MODEL_KEY);
    assert.equal(entry()?.desired.get('a')?.value, '4');
    assert.deepEqual(entry()?.problems, []);
    assert.equal(heard.length, 1);
    site.lost.clear();
    await site.put(makeModel('model', [{ name: 'a', type: 'DOUBLE' }]), made('5'));
    assert.equal(entry()?.desired.get('a')?.value, '5');
    assert.equal(entry()?.device?.properties[0]?.type, 'DOUBLE');
  });

  it('reads again what could not be read', async () => {
    await begin(MODEL);
    const read = site.replica.read.bind(site.replica);
    site.replica.read = () => Promise.reject(new Error('busy'));
    await site.put(made('4'));
    assert.equal(entry(), undefined);
    assert.ok(site.directory.has('default', 'd'));
    site.replica.read = read;
    await site.clock.advance(5_000);
    assert.equal(entry()?.desired.get('a')?.value, '4');
  });

  it('knows which settings the hub has decided', async () => {
    const annotations = { 'hawser.dev/edge-settings': '{"a":["id-1","hash"],"b":1}' };
    await begin(MODEL, makeDevice('d', { properties: [{ name: 'a' }], annotations }));
    assert.deepEqual([...(entry()?.decided ?? [])], [['a', 'id-1']]);
    await site.put(
      makeDevice('d', { properties: [{ name: 'a' }], annotations: { 'hawser.dev/edge-settings': '{' } }),
    );
    assert.deepEqual([...(entry()?.decided ?? [])], []);
  });

  it('takes what the hub has decided from the version that is in force', async () => {
    await begin(MODEL, made('4'));
    const annotations = { 'hawser.dev/edge-settings': '{"a":["id-1","hash"]}' };
    await site.put(makeDevice('d', { model: 'none', properties: [{ name: 'a' }], annotations }));
    assert.equal(entry()?.desired.get('a')?.value, '4');
    assert.deepEqual([...(entry()?.decided ?? [])], []);
  });

  it('goes on when a listener fails, and hears nothing after its end', async () => {
    await begin(MODEL);
    site.directory.listen(() => {
      throw new Error('no');
    });
    await site.put(made('4'));
    assert.equal(heard.length, 1);
    await site.directory.stop();
    await site.put(made('5'));
    assert.equal(heard.length, 1);
  });
});
