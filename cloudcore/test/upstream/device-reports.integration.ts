import assert from 'node:assert/strict';
import type { KubeObject } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { packJson } from '@hawser/sync';
import { report, startDeviceSite, type DeviceSite } from './device-site.ts';
import { conditionsByType, eventId, uidOf } from './hub-fixture.ts';

const NODE = 'edge-1';
const OTHER = 'edge-2';
const PATH = '/apis/devices.kubeedge.io/v1beta1/namespaces/default';
const AT = '2026-11-22T09:00:00Z';
const DONE = { status: 0 };

function statusOf(object: KubeObject | undefined): Readonly<Record<string, unknown>> {
  assert.ok(object);
  return (object['status'] ?? {}) as Readonly<Record<string, unknown>>;
}

describe('what a node reports of its devices', () => {
  let site: DeviceSite;
  let device: KubeObject;

  beforeEach(async () => {
    site = await startDeviceSite();
    device = await site.device('boiler', NODE);
  });

  afterEach(() => site.stop());

  const live = (name = 'boiler'): Promise<KubeObject> => site.devices.get('default', name);

  it('is written to the Device and to a DeviceStatus that it owns', async () => {
    const body = report(device, '21.5');
    assert.deepEqual(await site.hub.say(NODE, 'device', body), DONE);
    const { twins, state, lastOnlineTime } = body;
    assert.deepEqual(statusOf(await live()), { twins, state, lastOnlineTime });
    const status = await site.deviceStatus('boiler');
    assert.deepEqual(statusOf(status), { twins, state, lastOnlineTime });
    assert.deepEqual(status?.metadata.ownerReferences, [
      { apiVersion: 'devices.kubeedge.io/v1beta1', kind: 'Device', name: 'boiler', uid: uidOf(device) },
    ]);
    assert.equal(status.metadata.labels?.['hawser.dev/node'], NODE);
  });

  it('is not written where nothing differs, and asks nothing the second time', async () => {
    await site.hub.say(NODE, 'device', report(device, '21.5'));
    await site.catchUp('boiler');
    const before = (await live()).metadata.resourceVersion;
    site.calls();
    assert.deepEqual(await site.hub.say(NODE, 'device', report(device, '21.5')), DONE);
    assert.deepEqual(site.calls(), []);
    assert.equal((await live()).metadata.resourceVersion, before);
    assert.equal(await site.hub.metric('hawser_upstream_writes_total', { kind: 'device', verb: 'none' }), 1);
  });

  it('is two patches and nothing else when it changes', async () => {
    await site.hub.say(NODE, 'device', report(device, '21.5'));
    for (const lagging of [true, false]) {
      if (!lagging) await site.catchUp('boiler');
      site.calls();
      const body = report(device, lagging ? '22' : '23');
      assert.deepEqual(await site.hub.say(NODE, 'device', body), DONE);
      assert.deepEqual(site.calls().sort(), [
        `PATCH ${PATH}/devices/boiler/status`,
        `PATCH ${PATH}/devicestatuses/boiler/status`,
      ]);
      assert.deepEqual(statusOf(await live())['twins'], body.twins);
      assert.deepEqual(statusOf(await site.deviceStatus('boiler'))['twins'], body.twins);
    }
  });

  it('is compared, and not written, in a new session that says the same', async () => {
    await site.hub.say(NODE, 'device', report(device, '21.5'));
    site.calls();
    const { client, router } = site.hub;
    const again = await router.handle(
      NODE,
      'device',
      packJson(report(device, '21.5')),
      new AbortController().signal,
    );
    assert.deepEqual(again, DONE);
    assert.deepEqual(client.writes, []);
    assert.deepEqual(site.calls().sort(), [
      `GET ${PATH}/devices/boiler`,
      `GET ${PATH}/devicestatuses/boiler`,
    ]);
  });

  it('leaves what others say in the status, and mends what others did to its own', async () => {
    const served = { status: 'False', reason: 'NoAnswer', message: 'slave 3 is silent' } as const;
    const valid = { type: 'Valid', status: 'True', reason: 'Sound', message: '', lastTransitionTime: AT };
    await site.devices.patch(
      'default',
      'boiler',
      'merge',
      { status: { conditions: [valid], extensions: { vendor: 1 } } },
      { subresource: 'status' },
    );
    await site.hub.say(NODE, 'device', report(device, '21.5', { served }));
    const status = statusOf(await live());
    assert.deepEqual(status['extensions'], { vendor: 1 });
    const conditions = conditionsByType(await live());
    assert.deepEqual(conditions['Valid'], valid);
    assert.equal(conditions['Served']?.['reason'], 'NoAnswer');

    const since = conditions['Served']['lastTransitionTime'];
    await site.devices.patch(
      'default',
      'boiler',
      'merge',
      { status: { state: 'odd' } },
      { subresource: 'status' },
    );
    await site.catchUp('boiler');
    const reason = { ...served, reason: 'Timeout' };
    await site.hub.say(NODE, 'device', report(device, '21.5', { served: reason }));
    assert.equal(statusOf(await live())['state'], 'ok');
    const after = conditionsByType(await live());
    assert.deepEqual(after['Valid'], valid);
    assert.equal(after['Served']?.['reason'], 'Timeout');
    assert.equal(after['Served']['lastTransitionTime'], since, 'its status is what it was');
  });

  it('bears it that others write the device at the same time', async () => {
    await site.hub.say(NODE, 'device', report(device, '21.5'));
    let others = 2;
    site.hub.client.before = async ({ method, path }) => {
      if (method !== 'PATCH' || !path.endsWith('/devices/boiler/status') || others === 0) return;
      others -= 1;
      await site.devices.patch('default', 'boiler', 'merge', { metadata: { labels: { n: `${others}` } } });
    };
    assert.deepEqual(await site.hub.say(NODE, 'device', report(device, '30')), DONE);
    assert.equal(others, 0);
    assert.deepEqual(statusOf(await live())['twins'], report(device, '30').twins);
    assert.equal((await live()).metadata.labels?.['n'], '0');
    assert.equal(await site.hub.metric('hawser_upstream_conflicts_total', { kind: 'device' }), 2);
  });

  it('does not take back what a newer session has written', async () => {
    await site.hub.say(NODE, 'device', report(device, '1'));
    const { router, session } = site.hub;
    // While the older session's write is on its way, the newer one's is done.
    let newer = true;
    site.hub.client.before = async ({ method, path }) => {
      if (method !== 'PATCH' || !path.endsWith('/devices/boiler/status') || !newer) return;
      newer = false;
      session.abort(new Error('replaced'));
      await site.devices.patch(
        'default',
        'boiler',
        'merge',
        { status: { twins: report(device, '3').twins } },
        { subresource: 'status' },
      );
    };
    const older = await router.handle(NODE, 'device', packJson(report(device, '2')), session.signal);
    assert.equal(older.status, 409);
    assert.deepEqual(statusOf(await live())['twins'], report(device, '3').twins);
  });

  it('of a device of another node, or of another uid, is refused', async () => {
    const theirs = await site.device('pump', OTHER);
    const unseen = await site.device('fan', OTHER, { cached: false });
    const before = [JSON.stringify(await live('pump')), JSON.stringify(await live('fan'))];
    for (const other of [theirs, unseen]) {
      assert.equal((await site.hub.say(NODE, 'device', report(other, '1'))).status, 403);
    }
    assert.equal((await site.hub.say(NODE, 'device', { ...report(device, '1'), uid: 'other' })).status, 404);
    assert.equal((await site.hub.say(NODE, 'device', { ...report(device, '1'), name: 'none' })).status, 404);
    assert.deepEqual([JSON.stringify(await live('pump')), JSON.stringify(await live('fan'))], before);
    assert.deepEqual(statusOf(await live()), {});
    for (const name of ['pump', 'fan', 'boiler', 'none'])
      assert.equal(await site.deviceStatus(name), undefined);
  });

  it('of a device that has moved away is refused, and taken from where it is now', async () => {
    await site.hub.say(NODE, 'device', report(device, '1'));
    await site.devices.patch('default', 'boiler', 'merge', { spec: { nodeName: OTHER } });
    await site.catchUp('boiler');
    assert.equal((await site.hub.say(NODE, 'device', report(device, '2'))).status, 403);
    const session = new AbortController().signal;
    const there = await site.hub.router.handle(OTHER, 'device', packJson(report(device, '3')), session);
    assert.deepEqual(there, DONE);
    assert.deepEqual(statusOf(await live())['twins'], report(device, '3').twins);
    assert.equal((await site.deviceStatus('boiler'))?.metadata.labels?.['hawser.dev/node'], OTHER);
  });

  it('is done with when the device is deleted in between', async () => {
    await site.hub.say(NODE, 'device', report(device, '1'));
    let deleted = false;
    site.hub.client.before = async ({ method }) => {
      if (method !== 'PATCH' || deleted) return;
      deleted = true;
      await site.devices.delete('default', 'boiler');
    };
    const { status } = await site.hub.say(NODE, 'device', report(device, '2'));
    assert.equal(status, 404, 'the edge need not say it again');
  });

  it('makes a DeviceStatus anew that was deleted, and owns that of a former device', async () => {
    await site.hub.say(NODE, 'device', report(device, '1'));
    await site.statuses.delete('default', 'boiler');
    assert.deepEqual(await site.hub.say(NODE, 'device', report(device, '2')), DONE);
    assert.deepEqual(statusOf(await site.deviceStatus('boiler'))['twins'], report(device, '2').twins);

    await site.devices.delete('default', 'boiler');
    const next = await site.device('boiler', NODE);
    assert.deepEqual(await site.hub.say(NODE, 'device', report(next, '2')), DONE);
    const status = await site.deviceStatus('boiler');
    assert.deepEqual(
      status?.metadata.ownerReferences?.map(({ uid }) => uid),
      [uidOf(next)],
    );
    assert.deepEqual(statusOf(await live())['twins'], report(next, '2').twins);
  });

  it('of 2,000 that come at once ends with the last of each device, and few are written', async () => {
    const devices = [device];
    for (let n = 1; n < 10; n += 1) devices.push(await site.device(`boiler-${n}`, NODE));
    site.calls();
    const outcomes = await Promise.all(
      Array.from({ length: 2000 }, (_, n) => {
        const one = devices[n % devices.length];
        assert.ok(one);
        return site.hub.say(NODE, 'device', report(one, String(n)));
      }),
    );
    const refused = outcomes.filter(({ status }) => status !== 0);
    assert.ok(refused.every(({ status, retryAfterMs = 0 }) => status === 429 && retryAfterMs > 0));
    // What was refused the edge says again: the last.
    for (const [index, one] of devices.entries()) {
      const last = report(one, String(1990 + index));
      const said = async (): Promise<boolean> => (await site.hub.say(NODE, 'device', last)).status === 0;
      await eventually('the last is taken', said, { deadlineMs: 10_000, intervalMs: 100 });
      assert.deepEqual(statusOf(await live(one.metadata.name))['twins'], last.twins);
    }
    const patches = site.calls().filter((call) => call.includes('/devices/') && call.startsWith('PATCH'));
    assert.ok(patches.length <= 60, `${patches.length} writes`);
  }).timeout(30_000);

  it('of one device waits for the former of the same device', async () => {
    let most = 0;
    site.hub.client.before = ({ path }) => {
      if (path.endsWith('/devices/boiler/status')) most = Math.max(most, site.hub.client.underWay);
    };
    await Promise.all([1, 2, 3, 4].map((n) => site.hub.say(NODE, 'device', report(device, String(n)))));
    assert.ok(most <= 2, 'the Device and its DeviceStatus, of one report');
    assert.deepEqual(statusOf(await live())['twins'], report(device, '4').twins);
  });

  it('may be an Event about the device, and about no other', async () => {
    const theirs = await site.device('pump', OTHER);
    const event = (about: KubeObject): Promise<{ status: number }> =>
      site.hub.say(NODE, 'event', {
        id: eventId(),
        regarding: {
          ...{ apiVersion: 'devices.kubeedge.io/v1beta1', kind: 'Device', namespace: 'default' },
          name: about.metadata.name ?? '',
        },
        ...{ type: 'Warning', reason: 'Offline', message: 'silent', count: 1, component: 'edgecore' },
        ...{ firstTimestamp: AT, lastTimestamp: AT },
      });
    assert.equal((await event(device)).status, 0);
    assert.equal((await event(theirs)).status, 403);
    const { items } = await site.hub.events.list('default');
    assert.equal(items.length, 1);
    assert.equal((items[0]?.['involvedObject'] as { uid?: string } | undefined)?.uid, uidOf(device));
  });
});

describe('what a node reports of its devices, in a cluster with the definitions of KubeEdge', () => {
  let site: DeviceSite;

  afterEach(() => site.stop());

  const served = { status: 'True', reason: 'Serving', message: '' } as const;

  for (const definitions of ['kubeedge-1.22', 'kubeedge-1.23'] as const) {
    it(`of ${definitions} is written as far as they go, and not again and again`, async () => {
      site = await startDeviceSite(definitions);
      const device = await site.device('boiler', NODE);
      const body = report(device, '21.5', { served });
      assert.deepEqual(await site.hub.say(NODE, 'device', body), DONE);
      const status = statusOf(await site.devices.get('default', 'boiler'));
      assert.deepEqual(status['twins'], body.twins);
      assert.equal(status['state'], definitions === 'kubeedge-1.23' ? 'ok' : undefined);
      if (definitions === 'kubeedge-1.23') {
        assert.deepEqual(statusOf(await site.deviceStatus('boiler'))['twins'], body.twins);
      }
      await site.catchUp('boiler');
      const { resourceVersion } = (await site.devices.get('default', 'boiler')).metadata;
      site.calls();
      for (let n = 0; n < 5; n += 1) assert.deepEqual(await site.hub.say(NODE, 'device', body), DONE);
      assert.deepEqual(site.calls(), [], 'what was pruned is not written again');

      // Somebody else writes the device: it is looked at once more, and then there is quiet again.
      await site.devices.patch('default', 'boiler', 'merge', { metadata: { labels: { a: 'b' } } });
      await site.catchUp('boiler');
      await site.hub.say(NODE, 'device', body);
      await site.catchUp('boiler');
      site.calls();
      for (let n = 0; n < 5; n += 1) await site.hub.say(NODE, 'device', body);
      assert.deepEqual(site.calls(), []);
      const after = (await site.devices.get('default', 'boiler')).metadata.resourceVersion;
      assert.ok(Number(after) - Number(resourceVersion) <= 2);
    });
  }

  it('goes on when ours take their place, and the other way round', async () => {
    site = await startDeviceSite('kubeedge-1.23');
    const device = await site.device('boiler', NODE);
    await site.hub.say(NODE, 'device', report(device, '1'));
    await site.define('ours');
    await site.hub.say(NODE, 'device', report(device, '2'));
    await site.define('kubeedge-1.23');
    assert.deepEqual(await site.hub.say(NODE, 'device', report(device, '3')), DONE);
    assert.deepEqual(
      statusOf(await site.devices.get('default', 'boiler'))['twins'],
      report(device, '3').twins,
    );
    assert.deepEqual(statusOf(await site.deviceStatus('boiler'))['twins'], report(device, '3').twins);
  });

  it('is taken later where discovery fails', async () => {
    site = await startDeviceSite('ours');
    const device = await site.device('boiler', NODE, { cached: false });
    site.hub.client.before = ({ path }) => {
      if (path.endsWith('/v1beta1')) return Promise.reject(new Error('no discovery'));
      return undefined;
    };
    const outcome = await site.hub.router.handle(
      NODE,
      'device',
      packJson(report(device, '1')),
      site.hub.session.signal,
    );
    assert.equal(outcome.status, 500);
    assert.equal(await site.deviceStatus('boiler'), undefined);
    site.hub.client.before = () => {};
    assert.deepEqual(await site.hub.say(NODE, 'device', report(device, '1')), DONE);
  });
});
