import assert from 'node:assert/strict';
import { systemClock } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import {
  describeContainerRuntime,
  makeContainerConfig,
  makeSandboxConfig,
  SimulatedMachine,
  SimulatedRuntime,
} from '../../testing/index.ts';

describeContainerRuntime('simulated', () => {
  const machine = new SimulatedMachine({ clock: systemClock });
  return Promise.resolve({
    runtime: new SimulatedRuntime({ machine }),
    imageRef: 'sha256:1',
    pause: ['pause'],
    succeed: ['true'],
    fail: ['false'],
    deaf: ['deaf'],
    exec: { hello: ['echo', 'hello'], exitCode: 0, hour: ['sleep', '3600'] },
    reopen: () => Promise.resolve(new SimulatedRuntime({ machine })),
    close: () => Promise.resolve(),
  });
});

describe('SimulatedRuntime', () => {
  const { signal } = new AbortController();
  let clock: FakeClock;
  let machine: SimulatedMachine;
  let runtime: SimulatedRuntime;

  beforeEach(() => {
    clock = new FakeClock();
    machine = new SimulatedMachine({ clock });
    runtime = new SimulatedRuntime({ machine });
  });

  const run = async (command: string): Promise<string> => {
    const sandbox = makeSandboxConfig();
    const sandboxId = await runtime.createSandbox(sandbox, signal);
    const config = makeContainerConfig({ command: [command] });
    const id = await runtime.createContainer(sandboxId, sandbox, config, signal);
    await runtime.startContainer(id, signal);
    return id;
  };

  it('lets programs end in their time', async () => {
    machine.program = () => ({ endsAfterMs: 5_000, exit: { exitCode: 3 } });
    const id = await run('x');
    await clock.advance(4_999);
    assert.equal(machine.pods.container(id).container.state, 'running');
    await clock.advance(1);
    assert.equal(machine.pods.container(id).container.exitCode, 3);
  });

  it('kills after the grace what does not end', async () => {
    const id = await run('deaf');
    const stopped = runtime.stopContainer(id, 30, signal);
    await clock.advance(29_999);
    assert.deepEqual(machine.running, ['uid-a/main']);
    await clock.advance(1);
    await stopped;
    assert.equal(machine.pods.container(id).container.exitCode, 137);
    assert.equal(clock.pendingTimers, 0);
  });

  it('forgets all, or knows that all has ended, after a power cut', async () => {
    const id = await run('pause');
    machine.powerCut(true);
    assert.equal(machine.pods.container(id).container.exitCode, 255);
    assert.equal(machine.pods.get('uid-a')?.sandboxes[0]?.ready, false);
    machine.powerCut(false);
    assert.deepEqual(await runtime.list(), []);
  });

  it('fails where it is told to', async () => {
    runtime.failNext.set('get', [new Error('no')]);
    await assert.rejects(runtime.get('uid-a'), /no/);
    assert.equal(await runtime.get('uid-a'), undefined);
  });

  it('does what it was told to, even if nobody waits for the answer', async () => {
    const slow = new SimulatedRuntime({ machine, latencyMs: () => 100 });
    const abort = new AbortController();
    const made = slow.createSandbox(makeSandboxConfig(), abort.signal);
    const refused = assert.rejects(made, /enough/);
    abort.abort(new Error('enough'));
    await refused;
    await clock.advance(100);
    assert.equal(machine.pods.all().length, 1);
  });
});
