import assert from 'node:assert/strict';
import { ContainerError } from '../../src/pods/container-error.ts';
import { PodError } from '../../src/pods/pod-error.ts';
import { RuntimeError } from '../../src/runtime/runtime-error.ts';
import { makePod } from '../../testing/index.ts';
import { PodNode, SCOPE } from './pod-node.ts';

describe('Starting a pod', () => {
  let node: PodNode;

  beforeEach(() => {
    node = new PodNode();
  });
  afterEach(() => node.manager.stop());

  it('asks its parts in the order of a kubelet, and says what it did', async () => {
    await node.run(makePod('a'));
    assert.deepEqual(node.scripted.log, [
      'cgroup uid-a', // while the runtime is asked
      'cgroup uid-a',
      'mount uid-a',
      'cgroup uid-a',
      'ensure uid-a/main',
      'mount uid-a',
      'environment uid-a/main',
      'mounts uid-a/main',
      'config uid-a/main',
      'postStart uid-a/main',
    ]);
    assert.deepEqual(node.machine.log, ['sandbox uid-a#0', 'make uid-a/main#0', 'start uid-a/main#0']);
    assert.deepEqual(node.events, [
      'Normal Created main: Created container: main',
      'Normal Started main: Started container main',
    ]);
    assert.deepEqual(node.reports, ['a Running'], 'what is over at once is not said');
    assert.equal(node.status('uid-a').podIP, '10.88.0.1');
    assert.match(node.container('uid-a', 'main').containerID ?? '', /^simulated:\/\/id-\d+$/);
  });

  it('starts a pod with init containers and sidecars in their order', async () => {
    node.programs.set('first', { endsAfterMs: 1_000 });
    node.scripted.verdicts.set('uid-a/side', { started: false, ready: false });
    await node.run(
      makePod('a', {
        spec: {
          initContainers: [{ name: 'first' }, { name: 'side', restartPolicy: 'Always' }, { name: 'last' }],
          containers: [{ name: 'main' }],
        },
      }),
    );
    node.programs.set('last', { endsAfterMs: 0 });
    assert.deepEqual(node.machine.running, ['uid-a/first']);
    await node.pass(1);
    assert.deepEqual(node.machine.running, ['uid-a/side']);
    await node.pass(100);
    assert.deepEqual(node.machine.running, ['uid-a/side'], 'it has not started');
    node.scripted.judge('uid-a', 'side', { started: true, ready: true });
    await node.settle();
    assert.deepEqual(node.machine.running, ['uid-a/main', 'uid-a/side']);
    assert.equal(node.status('uid-a').conditions.find(({ type }) => type === 'Ready')?.status, 'True');
    node.scripted.judge('uid-a', 'side', { started: true, ready: false });
    await node.settle();
    assert.match(
      node.status('uid-a').conditions.find(({ type }) => type === 'Ready')?.message ?? '',
      /\[side\]/,
    );
  });

  it('restarts what ends, then waits between its restarts, and says so', async () => {
    node.programs.set('main', { endsAfterMs: 1_000, exit: { exitCode: 3 } });
    await node.run(makePod('a'));
    await node.pass(1);
    assert.equal(node.container('uid-a', 'main').restartCount, 1);
    await node.pass(1);
    const { state, lastState, restartCount } = node.container('uid-a', 'main');
    assert.deepEqual(state.waiting, {
      reason: 'CrashLoopBackOff',
      message: 'back-off 10s restarting failed container=main pod=a_default(uid-a)',
    });
    assert.equal(lastState.terminated?.exitCode, 3);
    assert.equal(restartCount, 1);
    assert.equal(node.phase('uid-a'), 'Running');
    await node.pass(9);
    assert.deepEqual(node.machine.running, []);
    await node.pass(1);
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    assert.equal(node.container('uid-a', 'main').restartCount, 2);
    await node.pass(20);
    assert.equal(node.container('uid-a', 'main').restartCount, 2);
    await node.pass(1);
    assert.equal(node.container('uid-a', 'main').restartCount, 3);
    const backOffs = node.events.filter((event) => event.includes('BackOff'));
    assert.deepEqual(backOffs, [
      'Warning BackOff main: Back-off restarting failed container main in pod a_default(uid-a)',
      'Warning BackOff main: Back-off restarting failed container main in pod a_default(uid-a)',
    ]);
  });

  it('does not start what has no image, says so, and tries again in its time', async () => {
    let refusals = 0;
    node.scripted.before = (asked) => {
      if (!asked.startsWith('ensure')) return Promise.resolve();
      refusals += 1;
      if (refusals === 1) return Promise.reject(new ContainerError('ErrImagePull', 'no such host'));
      if (refusals === 2) return Promise.reject(new ContainerError('ImagePullBackOff', 'Back-off pulling'));
      return Promise.resolve();
    };
    node.scripted.retryAtMs = () => node.clock.wallMs() + 15_000;
    await node.run(makePod('a'));
    assert.deepEqual(node.container('uid-a', 'main').state.waiting, {
      reason: 'ErrImagePull',
      message: 'no such host',
    });
    assert.equal(node.phase('uid-a'), 'Pending');
    await node.pass(1); // soon, not at the end of its back-off: that it waits is to be seen
    assert.equal(node.container('uid-a', 'main').state.waiting?.reason, 'ImagePullBackOff');
    await node.pass(14);
    assert.equal(refusals, 2);
    await node.pass(1);
    assert.equal(node.phase('uid-a'), 'Running');
    assert.equal(node.container('uid-a', 'main').restartCount, 0);
    assert.deepEqual(node.events.slice(0, 2), [
      'Warning Failed main: Error: ErrImagePull',
      'Warning Failed main: Error: ImagePullBackOff',
    ]);
  });

  it('starts the others where one cannot be', async () => {
    node.scripted.before = (asked) =>
      asked === 'ensure uid-a/one'
        ? Promise.reject(new ContainerError('ErrImageNeverPull', 'not here'))
        : Promise.resolve();
    await node.run(makePod('a', { spec: { containers: [{ name: 'one' }, { name: 'two' }] } }));
    assert.deepEqual(node.machine.running, ['uid-a/two']);
    assert.equal(node.container('uid-a', 'one').state.waiting?.reason, 'ErrImageNeverPull');
  });

  it('tries a configuration again as soon as something has come that it may be made from', async () => {
    let isThere = false;
    node.scripted.before = (asked) =>
      asked.startsWith('environment') && !isThere
        ? Promise.reject(new ContainerError('CreateContainerConfigError', 'configmap "c" not found'))
        : Promise.resolve();
    await node.run(makePod('a'));
    assert.deepEqual(node.container('uid-a', 'main').state.waiting, {
      reason: 'CreateContainerConfigError',
      message: 'configmap "c" not found',
    });
    assert.ok(node.events.includes('Warning Failed main: Error: configmap "c" not found'));
    isThere = true;
    await node.replica.apply(SCOPE, [
      { put: { key: 'configmaps/default/c', hash: '00', version: '1', bytes: Buffer.from('{}') } },
    ]);
    await node.settle();
    assert.equal(node.phase('uid-a'), 'Running');
  });

  it('says what the runtime refuses: to make a container, to start it, to make a sandbox', async () => {
    const refusal = (): RuntimeError => new RuntimeError('ERR_EDGECORE_RUNTIME', 'no space left');
    node.runtime.failNext.set('createSandbox', [refusal()]);
    node.runtime.failNext.set('createContainer', [refusal()]);
    node.runtime.failNext.set('startContainer', [refusal()]);
    await node.run(makePod('a'));
    assert.deepEqual(node.events, [
      'Warning FailedCreatePodSandBox: Failed to create pod sandbox: no space left',
    ]);
    assert.equal(node.container('uid-a', 'main').state.waiting?.reason, 'ContainerCreating');
    await node.pass(1);
    assert.deepEqual(node.container('uid-a', 'main').state.waiting, {
      reason: 'CreateContainerError',
      message: 'no space left',
    });
    await node.pass(10);
    assert.equal(node.container('uid-a', 'main').state.waiting?.reason, 'RunContainerError');
    await node.pass(10);
    assert.equal(node.phase('uid-a'), 'Running');
    assert.deepEqual(node.machine.log, [
      'sandbox uid-a#0',
      'make uid-a/main#0',
      'exit uid-a/main#0 137',
      'remove uid-a/main#0',
      'make uid-a/main#0',
      'start uid-a/main#0',
    ]);
  });

  it('ends a container whose postStart failed, and starts it again', async () => {
    let failures = 1;
    node.scripted.before = (asked) => {
      if (!asked.startsWith('postStart') || failures === 0) return Promise.resolve();
      failures -= 1;
      return Promise.reject(new ContainerError('PostStartHookError', 'it said 500'));
    };
    await node.run(makePod('a'));
    assert.deepEqual(node.machine.running, []);
    assert.deepEqual(node.container('uid-a', 'main').state.waiting, {
      reason: 'PostStartHookError',
      message: 'it said 500',
    });
    assert.deepEqual(node.events.slice(2), [
      'Warning FailedPostStartHook main: PostStartHook failed',
      'Normal Killing main: FailedPostStartHook',
    ]);
    await node.pass(10);
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    assert.equal(node.container('uid-a', 'main').restartCount, 1);
  });

  it('waits for what its volumes need, and says so', async () => {
    let failures = 1;
    node.scripted.before = (asked) => {
      if (!asked.startsWith('mount ') || failures === 0) return Promise.resolve();
      failures -= 1;
      return Promise.reject(new PodError('FailedMount', 'configmap "c" not found'));
    };
    await node.run(makePod('a'));
    assert.deepEqual(node.events, ['Warning FailedMount: configmap "c" not found']);
    assert.deepEqual(node.machine.log, []);
    await node.pass(1);
    assert.equal(node.phase('uid-a'), 'Running');
  });

  it('fails a pod that this node cannot run, once and for all', async () => {
    node.scripted.refusal = { reason: 'UnsupportedVolume', message: 'volume x is of no kind that …' };
    await node.run(makePod('a'));
    const { phase, reason, message } = node.status('uid-a');
    assert.deepEqual(
      { phase, reason, message },
      { phase: 'Failed', reason: 'UnsupportedVolume', message: 'volume x is of no kind that …' },
    );
    assert.deepEqual(node.events, ['Warning UnsupportedVolume: volume x is of no kind that …']);
    assert.deepEqual(node.machine.log, []);
    node.scripted.refusal = undefined;
    await node.restart();
    assert.deepEqual(node.machine.log, [], 'a later release does not revive it');
    assert.equal(node.status('uid-a').reason, 'UnsupportedVolume');
    assert.equal(node.events.length, 1);
  });

  it('fails a pod whose volumes can never be', async () => {
    node.scripted.before = (asked) =>
      asked.startsWith('mount ')
        ? Promise.reject(new PodError('FailedMount', 'no CSI here', { isFinal: true }))
        : Promise.resolve();
    await node.run(makePod('a'));
    await node.pass(1);
    assert.equal(node.phase('uid-a'), 'Failed');
    assert.equal(node.status('uid-a').reason, 'FailedMount');
    assert.deepEqual(node.events, ['Warning FailedMount: no CSI here']);
  });

  it('makes so many sandboxes at a time, in the order in which pods came', async () => {
    node.parallelStarts = 2;
    let now = 0;
    let most = 0;
    node.again();
    const create = node.runtime.createSandbox.bind(node.runtime);
    node.runtime.createSandbox = async (config, signal) => {
      now += 1;
      most = Math.max(most, now);
      for (let n = 0; n < 5; n++) await node.clock.advance(0);
      now -= 1;
      return create(config, signal);
    };
    for (let n = 10; n < 20; n++) await node.put(makePod(`p${n}`));
    await node.manager.start();
    await node.becomes('uid-p19', 'Running');
    assert.equal(most, 2);
    const made = node.machine.log.filter((line) => line.startsWith('sandbox'));
    assert.deepEqual(made, [...made].sort());
  });

  it('kills what its probe condemns, and starts it again', async () => {
    await node.run(makePod('a'));
    node.scripted.judge('uid-a', 'main', {
      started: true,
      ready: false,
      kill: { message: 'Container main failed liveness probe', graceSeconds: 5 },
    });
    node.scripted.verdicts.clear();
    await node.settle();
    assert.deepEqual(node.machine.running, ['uid-a/main']);
    assert.equal(node.container('uid-a', 'main').restartCount, 0, 'it was not looked at in time');
    let killed = false;
    node.machine.listeners.add(() => {
      killed ||= node.machine.log.at(-1)?.startsWith('exit') === true;
      if (killed) node.scripted.verdicts.clear();
    });
    node.scripted.judge('uid-a', 'main', {
      started: true,
      ready: false,
      kill: { message: 'Container main failed liveness probe', graceSeconds: 5 },
    });
    await node.settle();
    assert.ok(node.scripted.log.includes('preStop uid-a/main 5'));
    assert.equal(node.container('uid-a', 'main').restartCount, 1);
    assert.ok(
      node.events.includes('Normal Killing main: Container main failed liveness probe, will be restarted'),
    );
  });

  it('makes a container anew whose image was changed, and no other', async () => {
    const spec = (image: string): Parameters<typeof makePod>[1] => ({
      spec: {
        containers: [
          { name: 'one', image },
          { name: 'two', image: 'i:1' },
        ],
      },
    });
    await node.run(makePod('a', spec('i:1')));
    node.machine.log.length = 0;
    await node.put(makePod('a', spec('i:2')));
    await node.settle();
    assert.deepEqual(node.machine.log, ['exit uid-a/one#0 0', 'make uid-a/one#1', 'start uid-a/one#1']);
    assert.ok(
      node.events.includes('Normal Killing one: Container one definition changed, will be restarted'),
    );
  });
});
