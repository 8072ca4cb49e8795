import assert from 'node:assert/strict';
import { serviceUnavailable, type KubeObject } from '@hawser/kube';
import type { UpstreamBodies, UpstreamSetting } from '@hawser/sync';
import { startDeviceSite, type DeviceSite } from './device-site.ts';
import { uidOf } from './hub-fixture.ts';

const NODE = 'edge-1';
const DONE = { status: 0 };

type Properties = readonly Readonly<Record<string, unknown>>[];

describe('desired values that were set at the edge', () => {
  let site: DeviceSite;
  let device: KubeObject;

  beforeEach(async () => {
    site = await startDeviceSite();
    await site.model('boiler', [{ name: 'target' }, { name: 'fan' }, { name: 'mode' }]);
    device = await site.device('boiler', NODE, {
      model: 'boiler',
      properties: [
        {
          name: 'target',
          desired: { value: '60' },
          collectCycle: 500,
          visitors: { configData: { offset: 7 } },
        },
        { name: 'fan', reportToCloud: false },
      ],
    });
  });

  afterEach(() => site.stop());

  const properties = async (): Promise<Properties> =>
    ((await site.devices.get('default', 'boiler'))['spec'] as { properties: Properties }).properties;
  const cloudSets = (target: string): Promise<KubeObject> =>
    site.devices.patch('default', 'boiler', 'json', [
      { op: 'replace', path: '/spec/properties/0/desired', value: { value: target } },
    ]);

  function body(...settings: UpstreamSetting[]): UpstreamBodies['device-setting'] {
    return { namespace: 'default', name: 'boiler', uid: uidOf(device), settings };
  }

  const target = (value: string, over: string, id = 'setting-1'): UpstreamSetting => ({
    ...{ property: 'target', value, id, over: { value: over } },
  });

  it('are written in one write, and nothing else of the device changes', async () => {
    const fan: UpstreamSetting = {
      property: 'fan',
      value: 'on',
      id: 'setting-2',
      metadata: { type: 'BOOLEAN' },
    };
    const mode: UpstreamSetting = { property: 'mode', value: 'eco', id: 'setting-3' };
    assert.deepEqual(await site.hub.say(NODE, 'device-setting', body(target('65', '60'), fan, mode)), DONE);
    assert.equal(site.hub.client.writes.length, 1);
    assert.deepEqual(await properties(), [
      {
        name: 'target',
        desired: { value: '65' },
        collectCycle: 500,
        visitors: { configData: { offset: 7 } },
      },
      { name: 'fan', reportToCloud: false, desired: { value: 'on', metadata: { type: 'BOOLEAN' } } },
      { name: 'mode', desired: { value: 'eco' } },
    ]);
    assert.equal(await site.hub.metric('hawser_upstream_settings_total', { outcome: 'written' }), 3);
  });

  it('are not written again when the answer was lost, nor over a newer value of the cloud', async () => {
    const said = body(target('65', '60'));
    await site.hub.say(NODE, 'device-setting', said);
    const { resourceVersion } = (await site.devices.get('default', 'boiler')).metadata;
    assert.deepEqual(await site.hub.say(NODE, 'device-setting', said), DONE);
    assert.equal((await site.devices.get('default', 'boiler')).metadata.resourceVersion, resourceVersion);
    for (const newer of ['70', '60']) {
      await cloudSets(newer);
      assert.deepEqual(await site.hub.say(NODE, 'device-setting', said), DONE);
      assert.deepEqual((await properties())[0]?.['desired'], { value: newer });
    }
  });

  it('give way to the cloud, with an Event that names both values', async () => {
    await cloudSets('80');
    const said = body(target('65', '60'));
    for (let n = 0; n < 2; n += 1) assert.deepEqual(await site.hub.say(NODE, 'device-setting', said), DONE);
    assert.deepEqual((await properties())[0]?.['desired'], { value: '80' });
    const { items } = await site.hub.events.list('default');
    assert.equal(items.length, 1, 'the second time makes no second Event');
    assert.equal(items[0]?.['reason'], 'SettingSuperseded');
    assert.match(String(items[0]['message']), /target.*"65".*"80"/);
    assert.equal((items[0]['involvedObject'] as { uid?: string }).uid, uidOf(device));
  });

  it('are decided again when somebody writes in between', async () => {
    let others = ['61', '62'];
    site.hub.client.before = async ({ method }) => {
      const [next, ...rest] = others;
      if (method !== 'PATCH' || next === undefined) return;
      others = rest;
      await site.devices.patch('default', 'boiler', 'merge', { metadata: { labels: { next } } });
      if (rest.length === 0) await cloudSets(next);
    };
    assert.deepEqual(await site.hub.say(NODE, 'device-setting', body(target('65', '60'))), DONE);
    assert.deepEqual(
      (await properties())[0]?.['desired'],
      { value: '62' },
      'it was set while ours was decided',
    );
    assert.equal(await site.hub.metric('hawser_upstream_conflicts_total', { kind: 'device-setting' }), 2);
    assert.equal(await site.hub.metric('hawser_upstream_settings_total', { outcome: 'superseded' }), 1);
  });

  it('stay at the edge until the Event is there that tells of them', async () => {
    await cloudSets('80');
    site.hub.client.before = ({ path, method }) => {
      if (method === 'POST' && path.endsWith('/events')) throw serviceUnavailable('no disk');
    };
    assert.equal((await site.hub.say(NODE, 'device-setting', body(target('65', '60')))).status, 503);
    site.hub.client.before = () => {};
    assert.deepEqual(await site.hub.say(NODE, 'device-setting', body(target('65', '60'))), DONE);
    assert.equal((await site.hub.events.list('default')).items.length, 1);
    assert.deepEqual((await properties())[0]?.['desired'], { value: '80' });
  });

  it('of a property that nobody knows are told, and the others are written', async () => {
    const unknown: UpstreamSetting = { property: 'colour', value: 'red', id: 'setting-9' };
    assert.deepEqual(await site.hub.say(NODE, 'device-setting', body(unknown, target('65', '60'))), DONE);
    assert.deepEqual((await properties())[0]?.['desired'], { value: '65' });
    const { items } = await site.hub.events.list('default');
    assert.deepEqual(
      items.map(({ reason }) => reason),
      ['SettingUnknown'],
    );
  });

  it('are refused for a device of another node, of another uid, and where none is', async () => {
    const before = JSON.stringify(await site.devices.get('default', 'boiler'));
    const said = body(target('65', '60'));
    assert.equal((await site.hub.say('edge-2', 'device-setting', said)).status, 403);
    assert.equal((await site.hub.say(NODE, 'device-setting', { ...said, uid: 'other' })).status, 404);
    assert.equal((await site.hub.say(NODE, 'device-setting', { ...said, name: 'none' })).status, 404);
    assert.equal(JSON.stringify(await site.devices.get('default', 'boiler')), before);
  });
});
