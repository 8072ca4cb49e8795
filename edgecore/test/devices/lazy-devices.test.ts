import assert from 'node:assert/strict';
import { silentLogger } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import { contentOf } from '@hawser/sync';
import { MemoryReplicaStore } from '@hawser/sync/testing';
import { LazyDevices } from '../../src/devices/lazy-devices.ts';
import type { EdgeDevices } from '../../src/edge-devices-types.ts';
import { makeDevice } from '../../testing/device-maker.ts';

const SCOPE = 'node/edge-1';

describe('Devices that are loaded when there are any', () => {
  const clock = new FakeClock();
  let replica: MemoryReplicaStore;
  let calls: string[];
  let defined: boolean;
  let failure: Error | undefined;
  let lazy: LazyDevices;

  const loaded: EdgeDevices = {
    start: () => {
      calls.push('start');
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    },
    stop: () => Promise.resolve(void calls.push('stop')),
    setConnected: (connected) => void calls.push(`connected ${connected}`),
    repeat: () => {},
    synced: () => {},
    problems: () => [{ code: 'ERR_X', message: 'x' }],
    views: () => [],
    view: () => undefined,
    set: () => Promise.resolve(),
    read: () => Promise.resolve({ values: {} }),
    listen: () => () => {},
    mappers: () => ({ items: [], problems: [] }),
  };

  const put = async (scope = SCOPE): Promise<void> => {
    await replica.apply(scope, [{ put: contentOf('devices.devices.kubeedge.io', makeDevice('d')) }]);
    await clock.advance(0);
  };

  beforeEach(() => {
    replica = new MemoryReplicaStore();
    calls = [];
    defined = false;
    failure = undefined;
    lazy = new LazyDevices({
      ...{ replica, scope: SCOPE, clock, log: silentLogger },
      hasDefinitions: () => Promise.resolve(defined),
      load: () => {
        calls.push('load');
        return Promise.resolve(loaded);
      },
    });
  });

  afterEach(() => lazy.stop());

  it('are not without a device or a definition', async () => {
    await lazy.start();
    await replica.apply(SCOPE, [
      { put: contentOf('configmaps', { metadata: { name: 'x', namespace: 'y' } }) },
    ]);
    await put('node/another');
    await clock.advance(100_000);
    assert.deepEqual(calls, []);
    assert.equal(lazy.present, undefined);
    assert.deepEqual(lazy.problems(), []);
  });

  it('are there with a device of the disk, before it has started', async () => {
    await put();
    await lazy.start();
    assert.deepEqual(calls, ['load', 'start', 'connected false']);
    assert.equal(lazy.present, loaded);
    lazy.setConnected(true);
    assert.deepEqual(lazy.problems(), [{ code: 'ERR_X', message: 'x' }]);
    await lazy.stop();
    assert.deepEqual(calls.slice(3), ['connected true', 'stop']);
  });

  it('come with the first device, and know whether there is a session', async () => {
    await lazy.start();
    lazy.setConnected(true);
    await put();
    await put();
    assert.deepEqual(calls, ['load', 'start', 'connected true']);
  });

  it('come with the first definition', async () => {
    await lazy.start();
    defined = true;
    await clock.advance(30_000);
    assert.deepEqual(calls, ['load', 'start', 'connected false']);
  });

  it('are tried again where they cannot be started', async () => {
    failure = new Error('no');
    await put();
    await lazy.start();
    assert.equal(lazy.present, undefined);
    assert.match(lazy.problems()[0]?.message ?? '', /devices: no/);
    failure = undefined;
    await clock.advance(10_000);
    assert.equal(lazy.present, loaded);
    assert.deepEqual(calls, ['load', 'start', 'stop', 'load', 'start', 'connected false']);
  });
});
