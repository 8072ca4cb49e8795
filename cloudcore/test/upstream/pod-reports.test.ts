import assert from 'node:assert/strict';
import type { KubeObject } from '@hawser/kube';
import type { UpstreamBodies } from '@hawser/sync';
import { condition, conditionsByType, startHub, uidOf, type HubFixture } from './hub-fixture.ts';

const NODE = 'edge-1';
const OTHER = 'edge-2';

function report(name: string, uid: string, status: Record<string, unknown> = {}): UpstreamBodies['pod'] {
  const conditions = [condition('Ready', 'True'), condition('ContainersReady', 'True')];
  return {
    namespace: 'default',
    name,
    uid,
    status: { phase: 'Running', podIP: '10.0.0.7', podIPs: [{ ip: '10.0.0.7' }], conditions, ...status },
  };
}

describe('what a node reports of its pods', () => {
  let hub: HubFixture;

  beforeEach(async () => {
    hub = await startHub();
  });

  afterEach(() => hub.stop());

  describe('status', () => {
    it('is laid over what others have written', async () => {
      const conditions = [
        condition('PodScheduled', 'True'),
        condition('example.com/gate', 'False'),
        condition('Ready', 'False', { lastTransitionTime: '2025-01-01T00:00:00Z' }),
        condition('Initialized', 'False'),
      ];
      const pod = await hub.pod('web', NODE, { status: { conditions, nominatedNodeName: 'elsewhere' } });
      const body = report('web', uidOf(pod), {
        nominatedNodeName: 'mine',
        qosClass: 'Guaranteed',
        conditions: [
          condition('ContainersReady', 'True'),
          condition('Ready', 'True'),
          condition('example.com/gate', 'True'),
          condition('DisruptionTarget', 'True', { reason: 'TerminationByKubelet' }),
        ],
      });
      assert.deepEqual(await hub.say(NODE, 'pod', body), { status: 0 });
      const after = await hub.pods.get('default', 'web');
      const byType = conditionsByType(after);
      assert.deepEqual(Object.keys(byType), ['PodScheduled', 'example.com/gate', 'Ready', 'ContainersReady']);
      assert.equal(byType['example.com/gate']?.['status'], 'False');
      assert.equal(byType['Ready']?.['lastTransitionTime'], '2026-01-01T00:00:00Z');
      const { phase, podIP, nominatedNodeName, qosClass } = after['status'] as Record<string, string>;
      assert.deepEqual(
        { phase, podIP, nominatedNodeName, qosClass },
        { phase: 'Running', podIP: '10.0.0.7', nominatedNodeName: 'elsewhere', qosClass: 'BestEffort' },
      );
    });

    it('that is there already is not written, whatever its order and times', async () => {
      const pod = await hub.pod('web', NODE);
      await hub.say(NODE, 'pod', report('web', uidOf(pod)));
      const before = await hub.pods.get('default', 'web');
      const conditions = [
        condition('ContainersReady', 'True', { lastTransitionTime: '2026-03-03T00:00:00Z' }),
        condition('Ready', 'True', { lastTransitionTime: '2026-03-03T00:00:00Z' }),
      ];
      assert.deepEqual(await hub.say(NODE, 'pod', report('web', uidOf(pod), { conditions })), { status: 0 });
      assert.equal(
        (await hub.pods.get('default', 'web')).metadata.resourceVersion,
        before.metadata.resourceVersion,
      );
      assert.equal(hub.client.writes.length, 1);
    });

    it('removes what the node does not say any more', async () => {
      const pod = await hub.pod('web', NODE);
      await hub.say(NODE, 'pod', report('web', uidOf(pod), { message: 'pulling', reason: 'Pull' }));
      await hub.say(NODE, 'pod', report('web', uidOf(pod)));
      const { message } = (await hub.pods.get('default', 'web'))['status'] as Record<string, string>;
      assert.equal(message, undefined);
    });

    it('of a pod that has ended stays ended', async () => {
      const pod = await hub.pod('job', NODE, { status: { phase: 'Succeeded' } });
      const outcome = await hub.say(NODE, 'pod', report('job', uidOf(pod)));
      assert.equal(outcome.status, 422);
      const { phase } = (await hub.pods.get('default', 'job'))['status'] as Record<string, string>;
      assert.equal(phase, 'Succeeded');
      const again = await hub.say(NODE, 'pod', report('job', uidOf(pod), { phase: 'Succeeded' }));
      assert.equal(again.status, 0);
    });

    it('of a pod that is not there, or was made anew, is dropped', async () => {
      const pod = await hub.pod('web', NODE);
      const older = await hub.say(NODE, 'pod', report('web', 'an-older-uid'));
      assert.equal(older.status, 404);
      assert.equal(older.retryAfterMs, undefined);
      assert.equal((await hub.say(NODE, 'pod', report('none', uidOf(pod)))).status, 404);
      assert.deepEqual(hub.client.writes, []);
    });

    it('is written again on top of what somebody else has written in between', async () => {
      const pod = await hub.pod('web', NODE);
      hub.client.before = async ({ method }) => {
        if (method !== 'PUT') return;
        hub.client.before = () => {};
        const conditions = [condition('example.com/gate', 'True')];
        const body = { status: { conditions } };
        await hub.pods.patch('default', 'web', 'strategic', body, { subresource: 'status' });
      };
      assert.deepEqual(await hub.say(NODE, 'pod', report('web', uidOf(pod))), { status: 0 });
      const byType = conditionsByType(await hub.pods.get('default', 'web'));
      assert.equal(byType['example.com/gate']?.['status'], 'True');
      assert.equal(byType['Ready']?.['status'], 'True');
    });

    describe('of a pod that passed by just now', () => {
      const PATH = '/api/v1/namespaces/default/pods/web';
      /** A pod, as it passes by. */
      const passing = async (status?: Record<string, unknown>): Promise<KubeObject> => {
        const pod = await hub.pod('web', NODE, status === undefined ? {} : { status });
        hub.view.recent.set('default/web', pod);
        return pod;
      };

      it('is written without reading it', async () => {
        const conditions = [condition('example.com/gate', 'True')];
        const pod = await passing({ conditions });
        assert.deepEqual(await hub.say(NODE, 'pod', report('web', uidOf(pod))), { status: 0 });
        assert.deepEqual(hub.client.calls, [`PUT ${PATH}/status`]);
        const byType = conditionsByType(await hub.pods.get('default', 'web'));
        assert.deepEqual(Object.keys(byType), ['example.com/gate', 'Ready', 'ContainersReady']);
      });

      it('is written on top of the live one where that is a later one', async () => {
        const pod = await passing();
        const body = { status: { conditions: [condition('example.com/gate', 'True')] } };
        await hub.pods.patch('default', 'web', 'strategic', body, { subresource: 'status' });
        assert.deepEqual(await hub.say(NODE, 'pod', report('web', uidOf(pod))), { status: 0 });
        assert.deepEqual(hub.client.calls, [`PUT ${PATH}/status`, `GET ${PATH}`, `PUT ${PATH}/status`]);
        const byType = conditionsByType(await hub.pods.get('default', 'web'));
        assert.deepEqual(Object.keys(byType), ['example.com/gate', 'Ready', 'ContainersReady']);
      });

      it('is written where the one that passed by said the same, and the live one does not', async () => {
        const pod = await passing();
        await hub.say(NODE, 'pod', report('web', uidOf(pod)));
        hub.view.recent.set('default/web', await hub.pods.get('default', 'web'));
        await hub.pods.patch('default', 'web', 'merge', { status: { podIP: '' } }, { subresource: 'status' });
        assert.deepEqual(await hub.say(NODE, 'pod', report('web', uidOf(pod))), { status: 0 });
        const { podIP } = (await hub.pods.get('default', 'web'))['status'] as Record<string, string>;
        assert.equal(podIP, '10.0.0.7');
      });

      it('is not written where it has ended', async () => {
        const pod = await passing({ phase: 'Failed' });
        assert.equal((await hub.say(NODE, 'pod', report('web', uidOf(pod)))).status, 422);
        assert.deepEqual(hub.client.writes, []);
      });

      it('is dropped where it is gone by now, or another one has its name', async () => {
        const pod = await passing();
        await hub.pods.delete('default', 'web', { gracePeriodSeconds: 0 });
        assert.equal((await hub.say(NODE, 'pod', report('web', uidOf(pod)))).status, 404);
        await hub.pod('web', NODE);
        assert.equal((await hub.say(NODE, 'pod', report('web', uidOf(pod)))).status, 404);
        const { phase } = (await hub.pods.get('default', 'web'))['status'] as Record<string, string>;
        assert.equal(phase, 'Pending');
      });

      it('is refused where that was one of another node', async () => {
        const pod = await hub.pod('web', OTHER);
        hub.view.recent.set('default/web', pod);
        assert.equal((await hub.say(NODE, 'pod', report('web', uidOf(pod)))).status, 403);
        assert.deepEqual(hub.client.writes, []);
      });
    });

    it('is refused where a pod was made anew between reading and writing', async () => {
      const pod = await hub.pod('web', NODE);
      hub.client.before = async ({ method }) => {
        if (method !== 'PUT') return;
        hub.client.before = () => {};
        await hub.pods.delete('default', 'web', { gracePeriodSeconds: 0 });
        await hub.pod('web', NODE);
      };
      const { status } = await hub.say(NODE, 'pod', report('web', uidOf(pod)));
      assert.equal(status, 404);
      const { phase } = (await hub.pods.get('default', 'web'))['status'] as Record<string, string>;
      assert.equal(phase, 'Pending');
    });

    it('that the API finds invalid is told as that, once and for all', async () => {
      const pod = await hub.pod('web', NODE);
      const outcome = await hub.say(NODE, 'pod', report('web', uidOf(pod), { containerStatuses: 'none' }));
      assert.ok(outcome.status === 400 || outcome.status === 422, String(outcome.status));
      assert.equal(outcome.retryAfterMs, undefined);
    });

    it('of the very latest message is what counts when several wait', async () => {
      const pod = await hub.pod('web', NODE);
      const said = ['1', '2', '3', '4', '5', '6'].map((n) =>
        hub.say(NODE, 'pod', report('web', uidOf(pod), { message: n })),
      );
      for (const outcome of await Promise.all(said)) assert.deepEqual(outcome, { status: 0 });
      const { message } = (await hub.pods.get('default', 'web'))['status'] as Record<string, string>;
      assert.equal(message, '6');
      assert.ok(hub.client.writes.length <= 2, hub.client.writes.join());
    });
  });

  describe('of pods of another node', () => {
    it('is refused, and changes nothing', async () => {
      const pod = await hub.pod('web', OTHER);
      const unbound = await hub.pod('waiting', '', { spec: { nodeName: undefined } });
      await hub.pods.delete('default', 'web', { gracePeriodSeconds: 30 });
      const before = hub.state();
      const ref = { namespace: 'default', name: 'web', uid: uidOf(pod) };
      assert.equal((await hub.say(NODE, 'pod', report('web', uidOf(pod)))).status, 403);
      assert.equal((await hub.say(NODE, 'pod', report('waiting', uidOf(unbound)))).status, 403);
      assert.equal((await hub.say(NODE, 'pod-gone', ref)).status, 403);
      assert.deepEqual(hub.state(), before);
      assert.equal(
        await hub.metric('hawser_upstream_refused_total', { kind: 'pod', reason: 'not-yours' }),
        2,
      );
    });

    it('is refused though a cache that lags says that it is its own', async () => {
      const pod = await hub.pod('web', OTHER);
      hub.view.setPod('default', 'web', { uid: uidOf(pod), nodeName: NODE });
      assert.equal((await hub.say(NODE, 'pod', report('web', uidOf(pod)))).status, 403);
    });

    it('is taken though a cache that lags does not know of the pod yet', async () => {
      const pod = await hub.pod('web', NODE, { cached: false });
      assert.equal((await hub.say(NODE, 'pod', report('web', uidOf(pod)))).status, 0);
    });
  });

  describe('that one has ended', () => {
    it('removes a pod that was to be deleted', async () => {
      const pod = await hub.pod('web', NODE);
      await hub.pods.delete('default', 'web', { gracePeriodSeconds: 30 });
      const ref = { namespace: 'default', name: 'web', uid: uidOf(pod) };
      // The cache has not seen the mark yet.
      assert.deepEqual(await hub.say(NODE, 'pod-gone', ref), { status: 0 });
      await assert.rejects(hub.pods.get('default', 'web'), { code: 'ERR_KUBE_NOT_FOUND' });
      assert.deepEqual(await hub.say(NODE, 'pod-gone', ref), { status: 0 });
    });

    it('asks the API server nothing where the cache knows enough', async () => {
      const pod = await hub.pod('web', NODE);
      await hub.pods.delete('default', 'web', { gracePeriodSeconds: 30 });
      hub.view.setPod('default', 'web', { uid: uidOf(pod), nodeName: NODE, deleting: true });
      await hub.say(NODE, 'pod-gone', { namespace: 'default', name: 'web', uid: uidOf(pod) });
      assert.deepEqual(hub.client.calls, ['DELETE /api/v1/namespaces/default/pods/web']);
    });

    it('does not remove a pod that nobody has deleted', async () => {
      const pod = await hub.pod('web', NODE);
      const before = hub.state();
      const ref = { namespace: 'default', name: 'web', uid: uidOf(pod) };
      assert.equal((await hub.say(NODE, 'pod-gone', ref)).status, 422);
      assert.deepEqual(hub.state(), before);
    });

    it('leaves the pod alone that has its name by now', async () => {
      const pod = await hub.pod('web', NODE);
      await hub.pods.delete('default', 'web', { gracePeriodSeconds: 30 });
      const before = hub.state();
      const ref = { namespace: 'default', name: 'web', uid: 'an-older-uid' };
      assert.deepEqual(await hub.say(NODE, 'pod-gone', ref), { status: 0 });
      // Even where the cache still shows the older one.
      hub.view.setPod('default', 'web', { uid: 'an-older-uid', nodeName: NODE, deleting: true });
      const stale = await hub.say(NODE, 'pod-gone', ref);
      assert.ok(stale.status === 0 || stale.status === 409, String(stale.status));
      assert.deepEqual(hub.state(), before);
      assert.equal((await hub.pods.get('default', 'web')).metadata.uid, uidOf(pod));
    });
  });
});
