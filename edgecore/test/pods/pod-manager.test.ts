import assert from 'node:assert/strict';
import { contentOf, type ReplicaStore } from '@hawser/sync';
import { MemoryReplicaStore } from '@hawser/sync/testing';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock } from '@hawser/seams/testing';
import { PodManager } from '../../src/pods/pod-manager.ts';
import { PodStatuses } from '../../src/pods/pod-statuses.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { nullParts } from '../../src/pods/null-parts.ts';
import type { PodStatus } from '../../src/pods/pod-status-types.ts';
import { NullRuntime } from '../../src/runtime/null-runtime.ts';
import { makePod, makeSandboxConfig, MemoryJsonState } from '../../testing/index.ts';

const SCOPE = 'node/edge-1';

function putPod(replica: ReplicaStore, pod: Pod): Promise<void> {
  const object = { apiVersion: 'v1', kind: 'Pod', ...pod };
  return replica.apply(SCOPE, [{ put: contentOf('pods', object) }]);
}

/** A node with its store, runtime and state, that can be restarted. */
class Node {
  readonly state = new MemoryJsonState();
  readonly replica = new MemoryReplicaStore();
  readonly clock = new FakeClock({ wallMs: Date.UTC(2026, 0, 1) });
  /** What was reported, in order. */
  readonly reports: string[] = [];
  readonly statuses = new Map<string, PodStatus>();
  readonly unreadable: string[] = [];
  /** Keys that the store has lost to damage. */
  readonly lost = new Set<string>();
  /** Whether it may have lost others, too. */
  mayLack = false;
  runtime = new NullRuntime({ state: this.state, clock: this.clock });
  manager = this.#make();

  #make(): PodManager {
    return new PodManager({
      scope: SCOPE,
      replica: this.replica,
      runtime: this.runtime,
      parts: nullParts(this.runtime.images),
      statuses: new PodStatuses(this.state),
      reports: {
        status: (pod, status) => {
          this.reports.push(`${pod.metadata.name} ${status.phase}`);
          this.statuses.set(pod.metadata.uid, status);
        },
        gone: (pod) => this.reports.push(`${pod.metadata.uid} gone`),
      },
      events: {
        record: (pod, type, reason, message) => {
          if (type === 'Warning') this.reports.push(`${pod.metadata.name} ${reason}: ${message}`);
        },
      },
      isLost: (key) => this.lost.has(key),
      hasLost: () => this.mayLack || this.lost.size > 0,
      onUnreadable: (key, problem) => this.unreadable.push(`${key}: ${problem}`),
      onPods: () => {},
      hostIps: () => ['192.0.2.1'],
      relistPeriodMs: 60_000,
      parallelStarts: 10,
      clock: this.clock,
      log: silentLogger,
    });
  }

  async restart(): Promise<void> {
    await this.manager.stop();
    this.runtime = new NullRuntime({ state: this.state, clock: this.clock });
    this.manager = this.#make();
    await this.manager.start();
  }

  phase(uid: string): string | undefined {
    return this.statuses.get(uid)?.phase;
  }
}

describe('PodManager', () => {
  let node: Node;

  beforeEach(() => {
    node = new Node();
  });
  afterEach(() => node.manager.stop());

  it('runs the pods that the store has, without a cloud', async () => {
    await putPod(node.replica, makePod('a'));
    await putPod(node.replica, makePod('b'));
    await node.manager.start();
    await eventually(
      'both run',
      () => node.phase('uid-a') === 'Running' && node.phase('uid-b') === 'Running',
    );
    assert.equal((await node.runtime.list()).length, 2);
    assert.deepEqual(node.manager.phases(), { sync: 2, terminating: 0, terminated: 0 });
  });

  it('runs a pod that comes later, and leaves other objects alone', async () => {
    await node.manager.start();
    await node.replica.apply(SCOPE, [
      {
        put: contentOf('configmaps', {
          kind: 'ConfigMap',
          metadata: { name: 'c', namespace: 'default' },
        }),
      },
    ]);
    await putPod(node.replica, makePod('a'));
    await eventually('it runs', () => node.phase('uid-a') === 'Running');
    assert.deepEqual(node.unreadable, []);
  });

  it('ends a pod that is deleted, says how it ended, then that it is gone', async () => {
    await putPod(node.replica, makePod('a'));
    await node.manager.start();
    await eventually('it runs', () => node.phase('uid-a') === 'Running');
    node.reports.length = 0;
    await putPod(node.replica, makePod('a', { metadata: { deletionTimestamp: '2026-01-01T00:00:30Z' } }));
    await eventually('gone', () => node.reports.includes('uid-a gone'));
    assert.deepEqual(node.reports, ['a Succeeded', 'uid-a gone']);
    assert.equal(await node.runtime.get('uid-a'), undefined);
    assert.equal(node.statuses.get('uid-a')?.containerStatuses[0]?.state.terminated?.exitCode, 0);
    await node.replica.apply(SCOPE, [{ remove: 'pods/default/a' }]);
    await eventually('forgotten', () => node.state.values.size === 0);
    assert.deepEqual(node.manager.phases(), { sync: 0, terminating: 0, terminated: 0 });
  });

  it('ends a pod whose object was removed without a word', async () => {
    await putPod(node.replica, makePod('a'));
    await node.manager.start();
    await eventually('it runs', () => node.phase('uid-a') === 'Running');
    await node.replica.apply(SCOPE, [{ remove: 'pods/default/a' }]);
    await eventually('nothing is left', async () => (await node.runtime.list()).length === 0);
    assert.ok(!node.reports.includes('uid-a gone'), 'there is no object to say it of');
    await eventually('forgotten', () => node.state.values.size === 0);
  });

  it('lets a pod end before the next one with its name begins', async () => {
    await putPod(node.replica, makePod('a', { uid: 'old' }));
    await node.manager.start();
    await eventually('it runs', () => node.phase('old') === 'Running');
    let overlap = false;
    node.runtime.listen(() => {
      void node.runtime.list().then((pods) => (overlap ||= pods.length > 1));
    });
    await putPod(node.replica, makePod('a', { uid: 'new' }));
    await eventually('the new one runs', () => node.phase('new') === 'Running');
    assert.equal(await node.runtime.get('old'), undefined);
    assert.equal(overlap, false);
  });

  it('lets it end first, too, when its object was removed before the next one came', async () => {
    await putPod(node.replica, makePod('a', { uid: 'old' }));
    await node.manager.start();
    await eventually('it runs', () => node.phase('old') === 'Running');
    let overlap = false;
    node.runtime.listen(() => {
      void node.runtime.list().then((pods) => (overlap ||= pods.length > 1));
    });
    await node.replica.apply(SCOPE, [{ remove: 'pods/default/a' }]);
    await putPod(node.replica, makePod('a', { uid: 'new' }));
    await eventually('the new one runs', () => node.phase('new') === 'Running');
    assert.equal(overlap, false);
  });

  it('lets it end first after a restart, too', async () => {
    await putPod(node.replica, makePod('a', { uid: 'old' }));
    await node.manager.start();
    await eventually('it runs', () => node.phase('old') === 'Running');
    await node.manager.stop();
    await putPod(node.replica, makePod('a', { uid: 'new' }));
    await node.restart();
    await eventually('the new one runs', () => node.phase('new') === 'Running');
    assert.equal(await node.runtime.get('old'), undefined);
    await eventually('nothing is kept of the old one', () =>
      [...node.state.values.keys()].every((key) => !key.includes('old')),
    );
  });

  it('takes over running pods after a restart, with their times', async () => {
    await putPod(node.replica, makePod('a'));
    await node.manager.start();
    await eventually('it runs', () => node.phase('uid-a') === 'Running');
    const before = node.statuses.get('uid-a');
    node.statuses.clear();
    await node.clock.advance(3_600_000);
    await node.restart();
    await eventually('it is reported', () => node.statuses.has('uid-a'));
    assert.deepEqual(node.statuses.get('uid-a'), before);
  });

  it('starts again what the runtime has lost, and keeps the start time of the pod', async () => {
    await putPod(node.replica, makePod('a'));
    await node.manager.start();
    await eventually('it runs', () => node.phase('uid-a') === 'Running');
    const { startTime, containerStatuses } = node.statuses.get('uid-a') ?? {};
    await node.manager.stop();
    for (const key of node.state.values.keys())
      if (key.startsWith('null-runtime/')) node.state.values.delete(key);
    await node.clock.advance(60_000);
    await node.restart();
    await eventually('it runs again', () => {
      const [container] = node.statuses.get('uid-a')?.containerStatuses ?? [];
      return (
        container?.state.running !== undefined &&
        container.containerID !== containerStatuses?.[0]?.containerID
      );
    });
    assert.equal(node.statuses.get('uid-a')?.startTime, startTime);
  });

  it('ends what the runtime has and the store does not have', async () => {
    await node.runtime.start();
    await node.runtime.createSandbox(makeSandboxConfig({ uid: 'orphan' }), AbortSignal.timeout(1_000));
    await node.manager.start();
    await eventually('it is gone', async () => (await node.runtime.list()).length === 0);
  });

  it('says nothing twice', async () => {
    await putPod(node.replica, makePod('a'));
    await node.manager.start();
    await eventually('it runs', () => node.phase('uid-a') === 'Running');
    const { length } = node.reports;
    const { writes } = node.state;
    for (let minute = 0; minute < 5; minute++) {
      await node.clock.advance(60_000);
      node.manager.wakeAll();
    }
    await putPod(node.replica, makePod('a', { metadata: { labels: { x: 'y' } } }));
    await eventually('the change is seen', () => node.manager.pods()[0]?.metadata.labels?.['x'] === 'y');
    assert.equal(node.reports.length, length);
    assert.equal(node.state.writes, writes);
  });

  it('says everything again when the cloud asks', async () => {
    await putPod(node.replica, makePod('a'));
    await node.manager.start();
    await eventually('it runs', () => node.phase('uid-a') === 'Running');
    node.reports.length = 0;
    node.manager.repeat();
    await eventually('it is said', () => node.reports.includes('a Running'));
  });

  it('tries again when something fails, and tells the owner', async () => {
    node.state.failure = new Error('the disk is full');
    await putPod(node.replica, makePod('a'));
    await node.manager.start();
    await eventually('it is told', () => node.reports.some((report) => report.includes('the disk is full')));
    assert.ok(!node.reports.includes('a Running'));
    node.state.failure = undefined;
    await eventually('it runs', async () => {
      await node.clock.advance(60_000);
      return node.phase('uid-a') === 'Running';
    });
  });

  it('leaves what it has alone when an object cannot be read, and says so', async () => {
    await putPod(node.replica, makePod('a'));
    await node.manager.start();
    await eventually('it runs', () => node.phase('uid-a') === 'Running');
    const bytes = Buffer.from('{"metadata":{"name":"a"}}');
    const bad = { key: 'pods/default/a', hash: '00', version: '2', bytes };
    await node.replica.apply(SCOPE, [{ put: bad }]);
    await eventually('it is said', () => node.unreadable.length === 1);
    assert.match(node.unreadable[0] ?? '', /pods\/default\/a: it has no name, namespace or uid/);
    await node.clock.advance(60_000);
    assert.equal((await node.runtime.list()).length, 1);
  });

  it('lets run on what the store has lost to damage, and ends it when it is taken away', async () => {
    await putPod(node.replica, makePod('a'));
    await node.manager.start();
    await eventually('it runs', () => node.phase('uid-a') === 'Running');
    node.lost.add('pods/default/a');
    await node.replica.apply(SCOPE, [{ remove: 'pods/default/a' }]);
    await node.clock.advance(60_000);
    assert.equal((await node.runtime.list()).length, 1);
    await node.restart();
    await node.clock.advance(60_000);
    assert.equal((await node.runtime.list()).length, 1, 'after a restart too');
    assert.ok(node.state.values.has('pod-status/uid-a'), 'and its status is kept');
    node.lost.clear();
    await eventually('it ends', async () => {
      await node.clock.advance(60_000);
      return (await node.runtime.list()).length === 0;
    });
  });

  it('ends nothing, and forgets nothing, while the store may lack pods that nobody can name', async () => {
    await putPod(node.replica, makePod('a'));
    await node.manager.start();
    await eventually('it runs', () => node.phase('uid-a') === 'Running');
    await node.manager.stop();
    await node.replica.apply(SCOPE, [{ remove: 'pods/default/a' }]);
    node.mayLack = true;
    await node.restart();
    await node.clock.advance(60_000);
    assert.equal((await node.runtime.list()).length, 1);
    assert.ok(node.state.values.has('pod-status/uid-a'), 'its status is kept');
    assert.equal(node.manager.allPods(), undefined);
    // Another pod of that name is a word: the one before it was taken away.
    await putPod(node.replica, makePod('a', { uid: 'next' }));
    await eventually('the next one runs', () => node.phase('next') === 'Running');
    assert.deepEqual(
      (await node.runtime.list()).map(({ uid }) => uid),
      ['next'],
    );
    await node.replica.apply(SCOPE, [{ remove: 'pods/default/a' }]);
    await eventually('what is taken away ends', async () => (await node.runtime.list()).length === 0);
    node.mayLack = false;
    await eventually('what is left goes', async () => {
      await node.clock.advance(60_000);
      return node.state.values.size === 0;
    });
  });

  it('stops in the middle of its work, and twice', async () => {
    for (let n = 0; n < 20; n++) await putPod(node.replica, makePod(`p${n}`));
    await node.manager.start();
    await Promise.all([node.manager.stop(), node.manager.stop()]);
    assert.equal(node.clock.pendingTimers, 0);
  });
});
