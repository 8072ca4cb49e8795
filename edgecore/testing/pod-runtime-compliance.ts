import assert from 'node:assert/strict';
import type { PodRuntime } from '../src/runtime/pod-runtime.ts';
import { makePod } from './pod-maker.ts';

/** A runtime under test, and how to start it again over what it had. */
export interface PodRuntimeFixture {
  readonly runtime: PodRuntime;
  /** The same runtime after a restart of the edge core, not started. */
  reopen(): Promise<PodRuntime>;
  close(): Promise<void>;
}

/** What every {@link PodRuntime} has to do. */
export function describePodRuntime(name: string, open: () => Promise<PodRuntimeFixture>): void {
  describe(`pod runtime ${name}`, () => {
    const signal = AbortSignal.timeout(60_000);
    let fixture: PodRuntimeFixture;
    let runtime: PodRuntime;

    beforeEach(async () => {
      fixture = await open();
      runtime = fixture.runtime;
      await runtime.start();
    });
    afterEach(() => fixture.close());

    it('has nothing of a pod that it was not told of', async () => {
      assert.equal(await runtime.get('uid-a'), undefined);
      assert.deepEqual(await runtime.list(), []);
    });

    it('makes a sandbox, starts containers in it, and says so', async () => {
      const pod = makePod('a');
      const told: string[] = [];
      runtime.listen((uid) => told.push(uid));
      await runtime.perform(pod, { do: 'create-sandbox' }, signal);
      assert.equal((await runtime.get('uid-a'))?.sandbox.ready, true);
      await runtime.perform(pod, { do: 'start-container', container: 'main', attempt: 0 }, signal);
      const [container] = (await runtime.get('uid-a'))?.containers ?? [];
      assert.equal(container?.name, 'main');
      assert.equal(container.state, 'running');
      assert.equal(container.attempt, 0);
      assert.match(container.id, new RegExp(`^${runtime.name}://.+`));
      assert.ok(told.includes('uid-a'));
      assert.deepEqual(
        (await runtime.list()).map(({ uid, namespace, name: podName }) => ({ uid, namespace, podName })),
        [{ uid: 'uid-a', namespace: 'default', podName: 'a' }],
      );
    });

    it('does nothing where an action is done already', async () => {
      const pod = makePod('a');
      for (let again = 0; again < 2; again++) {
        await runtime.perform(pod, { do: 'create-sandbox' }, signal);
        await runtime.perform(pod, { do: 'start-container', container: 'main', attempt: 0 }, signal);
      }
      const first = await runtime.get('uid-a');
      await runtime.perform(pod, { do: 'start-container', container: 'main', attempt: 0 }, signal);
      assert.deepEqual(await runtime.get('uid-a'), first);
      await runtime.remove('uid-a', signal);
      await runtime.remove('uid-a', signal);
      assert.equal(await runtime.get('uid-a'), undefined);
    });

    it('ends a container, and keeps what became of it', async () => {
      const pod = makePod('a');
      await runtime.perform(pod, { do: 'create-sandbox' }, signal);
      await runtime.perform(pod, { do: 'start-container', container: 'main', attempt: 0 }, signal);
      await runtime.perform(pod, { do: 'kill-container', container: 'main', graceSeconds: 1 }, signal);
      const [container] = (await runtime.get('uid-a'))?.containers ?? [];
      assert.equal(container?.state, 'exited');
      assert.equal(typeof container.exitCode, 'number');
      assert.ok((container.finishedAtMs ?? 0) >= (container.startedAtMs ?? Infinity));
    });

    it('still has its pods after a restart of the edge core', async () => {
      const pod = makePod('a');
      await runtime.perform(pod, { do: 'create-sandbox' }, signal);
      await runtime.perform(pod, { do: 'start-container', container: 'main', attempt: 0 }, signal);
      const before = await runtime.get('uid-a');
      await runtime.stop();
      const again = await fixture.reopen();
      await again.start();
      assert.deepEqual(await again.get('uid-a'), before);
      await again.stop();
    });

    it('does nothing more once it is told to stop', async () => {
      const reason = new Error('enough');
      const act = runtime.perform(makePod('a'), { do: 'create-sandbox' }, AbortSignal.abort(reason));
      await assert.rejects(act, reason);
      assert.equal(await runtime.get('uid-a'), undefined);
    });
  });
}
