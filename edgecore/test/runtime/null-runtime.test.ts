import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { NullRuntime } from '../../src/runtime/null-runtime.ts';
import { describePodRuntime, makePod, MemoryJsonState } from '../../testing/index.ts';

describePodRuntime('null', () => {
  const state = new MemoryJsonState();
  const clock = new FakeClock();
  return Promise.resolve({
    runtime: new NullRuntime({ state, clock }),
    reopen: () => Promise.resolve(new NullRuntime({ state, clock })),
    close: () => Promise.resolve(),
  });
});

describe('NullRuntime', () => {
  const signal = AbortSignal.timeout(60_000);

  it('says that nothing runs in it', () => {
    const runtime = new NullRuntime({ state: new MemoryJsonState(), clock: new FakeClock() });
    assert.equal(runtime.real, false);
    assert.equal(runtime.version, 'null://');
  });

  it('ends init containers at once, and lets sidecars run', async () => {
    const runtime = new NullRuntime({ state: new MemoryJsonState(), clock: new FakeClock() });
    const pod = makePod('a', {
      spec: {
        initContainers: [
          { name: 'setup', image: 'i:1' },
          { name: 'proxy', restartPolicy: 'Always' },
        ],
      },
    });
    await runtime.perform(pod, { do: 'create-sandbox' }, signal);
    for (const container of ['setup', 'proxy']) {
      await runtime.perform(pod, { do: 'start-container', container, attempt: 0 }, signal);
    }
    const [setup, proxy] = (await runtime.get('uid-a'))?.containers ?? [];
    assert.equal(setup?.state, 'exited');
    assert.equal(setup.exitCode, 0);
    assert.equal(setup.imageId, 'i:1');
    assert.equal(proxy?.state, 'running');
  });
});
