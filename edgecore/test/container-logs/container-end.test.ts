import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { ContainerEnd } from '../../src/container-logs/container-end.ts';
import type { RuntimePod } from '../../src/runtime/container-runtime.ts';

describe('ContainerEnd', () => {
  const clock = new FakeClock();
  let state = 'running';
  let isThere = true;
  let failure: Error | undefined;
  let changed: (uid: string | undefined) => void = () => {};
  const runtime = {
    get: () => {
      if (failure !== undefined) return Promise.reject(failure);
      const pod = { containers: [{ id: 'old', state: 'exited' }, ...(isThere ? [{ id: 'c', state }] : [])] };
      return Promise.resolve(pod as unknown as RuntimePod);
    },
    listen: (listener: typeof changed) => {
      changed = listener;
      return () => {
        changed = () => {};
      };
    },
  };
  let end: ContainerEnd;
  beforeEach(() => {
    [state, isThere, failure] = ['running', true, undefined];
    end = new ContainerEnd({ runtime, uid: 'uid', containerId: 'c', clock });
    end.start();
  });
  afterEach(() => {
    end.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  it('tells when the runtime says so', async () => {
    await clock.advance(20_000);
    assert.equal(end.signal.aborted, false);
    state = 'exited';
    changed('another');
    await clock.advance(0);
    assert.equal(end.signal.aborted, false);
    changed('uid');
    await clock.advance(0);
    assert.equal(end.signal.aborted, true);
  });

  it('finds out by itself where nothing was said', async () => {
    isThere = false;
    await clock.advance(5_000);
    assert.equal(end.signal.aborted, true);
  });

  it('does not take a runtime that is away for an end', async () => {
    failure = new Error('away');
    await clock.advance(20_000);
    assert.equal(end.signal.aborted, false);
    failure = undefined;
    state = 'exited';
    await clock.advance(5_000);
    assert.equal(end.signal.aborted, true);
  });
});
