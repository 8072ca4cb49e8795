import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { NullRuntime } from '../../src/runtime/null-runtime.ts';
import { describeContainerRuntime, MemoryJsonState } from '../../testing/index.ts';

describeContainerRuntime('null', () => {
  const state = new MemoryJsonState();
  const clock = new FakeClock();
  return Promise.resolve({
    runtime: new NullRuntime({ state, clock }),
    imageRef: 'sha256:1',
    pause: ['pause'],
    succeed: ['true'],
    fail: ['false'],
    reopen: () => Promise.resolve(new NullRuntime({ state, clock })),
    close: () => Promise.resolve(),
  });
});

describe('NullRuntime', () => {
  it('says that nothing runs in it', () => {
    const runtime = new NullRuntime({ state: new MemoryJsonState(), clock: new FakeClock() });
    assert.equal(runtime.real, false);
    assert.equal(runtime.version, 'null://');
  });

  it('has whatever image is asked for', async () => {
    const { images } = new NullRuntime({ state: new MemoryJsonState(), clock: new FakeClock() });
    assert.equal((await images.status('registry.example/app:1')).id, 'registry.example/app:1');
  });

  it('forgets what an older release kept', async () => {
    const state = new MemoryJsonState();
    await state.write('null-runtime/uid-a', { uid: 'uid-a', sandbox: { id: 's' }, containers: [] });
    const runtime = new NullRuntime({ state, clock: new FakeClock() });
    await runtime.start();
    assert.deepEqual(await runtime.list(), []);
  });
});
