import assert from 'node:assert/strict';
import type { KubeObject } from '@hawser/kube';
import type { PeerIdentity } from '@hawser/proto';
import type { UpstreamBodies } from '@hawser/sync';
import { forbidden } from '@hawser/kube';
import { answerOf, eventId, nodeBody, startHub, uidOf, type HubFixture } from './hub-fixture.ts';

const NODE = 'edge-1';
const OTHER = 'edge-2';
const AT = '2026-01-01T00:00:00Z';

function event(
  regarding: UpstreamBodies['event']['regarding'],
  more: Partial<UpstreamBodies['event']> = {},
): UpstreamBodies['event'] {
  return {
    id: eventId(),
    regarding,
    type: 'Normal',
    reason: 'Pulled',
    message: 'the image is there',
    count: 1,
    firstTimestamp: AT,
    lastTimestamp: AT,
    component: 'hawser-edgecore',
    ...more,
  };
}

function ofPod(name: string, uid?: string): UpstreamBodies['event']['regarding'] {
  return { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name, ...(uid !== undefined && { uid }) };
}

const OWN = { apiVersion: 'v1', kind: 'Node', name: NODE };

describe('events, reports, tokens and certificates', () => {
  let hub: HubFixture;

  beforeEach(async () => {
    hub = await startHub();
  });

  afterEach(() => hub.stop());

  const events = async (): Promise<readonly KubeObject[]> => (await hub.events.list('')).items;

  describe('an event', () => {
    it('about an own pod is written beside it', async () => {
      const pod = await hub.pod('web', NODE);
      const regarding = { ...ofPod('web'), fieldPath: 'spec.containers{app}' };
      assert.deepEqual(await hub.say(NODE, 'event', event(regarding)), { status: 0 });
      const [written, ...others] = await events();
      assert.deepEqual(others, []);
      assert.equal(written?.metadata.namespace, 'default');
      assert.match(written.metadata.name ?? '', /^web\.[0-9a-f]{16}$/);
      const { involvedObject, source, reportingInstance, firstTimestamp, count } = written;
      assert.deepEqual(involvedObject, { ...regarding, uid: uidOf(pod) });
      assert.deepEqual(source, { component: 'hawser-edgecore', host: NODE });
      assert.deepEqual(
        { reportingInstance, firstTimestamp, count },
        { reportingInstance: NODE, firstTimestamp: AT, count: 1 },
      );
    });

    it('about the node is written in the namespace default', async () => {
      hub.view.setNode(NODE, { uid: 'node-uid' });
      assert.deepEqual(await hub.say(NODE, 'event', event(OWN)), { status: 0 });
      const [written] = await events();
      assert.equal(written?.metadata.namespace, 'default');
      assert.deepEqual(written['involvedObject'], { ...OWN, uid: 'node-uid' });
    });

    it('that comes twice is one, with the higher count', async () => {
      const first = event(OWN);
      for (const count of [1, 1, 5, 3]) {
        assert.deepEqual(await hub.say(NODE, 'event', { ...first, count }), { status: 0 });
      }
      const all = await events();
      assert.equal(all.length, 1);
      assert.equal(all[0]?.['count'], 5);
      assert.deepEqual(
        hub.client.writes.map((call) => call.split(' ')[0]),
        ['POST', 'POST', 'POST', 'PATCH', 'POST'],
      );
    });

    it('of another node with the same id is another one', async () => {
      const pod = await hub.pod('web', NODE);
      const id = eventId();
      await hub.say(NODE, 'event', event(ofPod('web', uidOf(pod)), { id }));
      await hub.pods.delete('default', 'web', { gracePeriodSeconds: 0 });
      await hub.pod('web', OTHER);
      await hub.say(OTHER, 'event', event(ofPod('web'), { id }));
      assert.equal((await events()).length, 2);
    });

    it('has a name that fits, and a time that is not in the future', async () => {
      const name = `${'a'.repeat(236)}.b${'.c'.repeat(7)}`;
      await hub.pod(name, NODE);
      const late = event(ofPod(name), { lastTimestamp: '2199-01-01T00:00:00Z', message: 'm'.repeat(4000) });
      assert.deepEqual(await hub.say(NODE, 'event', late), { status: 0 });
      const [written] = await events();
      assert.ok((written?.metadata.name ?? '').length <= 253);
      assert.ok(Date.parse(String(written?.['lastTimestamp'])) <= Date.now());
      assert.equal(String(written?.['message']).length, 1024);
    });

    it('about anything that is not its own is refused', async () => {
      const theirs = await hub.pod('theirs', OTHER);
      const before = hub.state();
      for (const regarding of [
        ofPod('theirs', uidOf(theirs)),
        { apiVersion: 'v1', kind: 'Node', name: OTHER },
        { apiVersion: 'v1', kind: 'Node', name: NODE, namespace: 'default' },
        { apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 'x' },
        { apiVersion: 'apps/v1', kind: 'Pod', namespace: 'default', name: 'theirs' },
        { apiVersion: 'v1', kind: 'Pod', name: 'theirs' },
      ]) {
        const { status } = await hub.say(NODE, 'event', event(regarding));
        assert.equal(status, 403, JSON.stringify(regarding));
      }
      assert.equal((await hub.say(NODE, 'event', event(ofPod('none')))).status, 404);
      assert.deepEqual(hub.state(), before);
    });

    it('in a namespace that is being terminated is dropped, not tried for ever', async () => {
      await hub.pod('web', NODE);
      const key = { group: '', resource: 'namespaces', namespace: '', name: 'default' };
      const entry = hub.kube.store.get(key);
      assert.ok(entry);
      const ending = { ...entry.object, status: { phase: 'Terminating' } };
      await hub.kube.store.update(key, entry.resourceVersion, ending);
      assert.equal((await hub.say(NODE, 'event', event(ofPod('web')))).status, 404);
    });
  });

  describe('a report', () => {
    it('is an event at the Node, once', async () => {
      const report = { code: 'ERR_EDGE_HELD', message: 'holds 12 removals back', at: AT };
      assert.deepEqual(await hub.say(NODE, 'report', report), { status: 0 });
      assert.deepEqual(await hub.say(NODE, 'report', report), { status: 0 });
      assert.deepEqual(await hub.say(NODE, 'report', { ...report, code: 'Restarted' }), { status: 0 });
      const written = await events();
      assert.deepEqual(written.map(({ type, reason }) => [type, reason]).sort(), [
        ['Normal', 'Restarted'],
        ['Warning', 'ERR_EDGE_HELD'],
      ]);
      assert.equal(await hub.metric('hawser_upstream_reports_total'), 3);
    });
  });

  describe('a token', () => {
    const SOURCES = [
      { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
      { serviceAccountToken: { path: 'vault', audience: 'vault', expirationSeconds: 7200 } },
    ];

    function request(
      podUid: string,
      more: Partial<UpstreamBodies['token-request']> = {},
    ): UpstreamBodies['token-request'] {
      return {
        namespace: 'default',
        serviceAccount: 'robot',
        podName: 'web',
        podUid,
        audiences: [],
        expirationSeconds: 3607,
        ...more,
      };
    }

    async function podOf(node: string, status = {}): Promise<string> {
      const volumes = [{ name: 'tokens', projected: { sources: SOURCES } }];
      return uidOf(await hub.pod('web', node, { spec: { serviceAccountName: 'robot', volumes }, status }));
    }

    beforeEach(async () => {
      await hub.account('robot');
      await hub.account('admin');
    });

    it('is given for an own pod, bound to it', async () => {
      const uid = await podOf(NODE);
      const outcome = await hub.say(NODE, 'token-request', request(uid));
      assert.equal(outcome.status, 0);
      const { token, expirationTimestamp } = answerOf(outcome) as Record<string, string>;
      assert.equal(token, 'token-1');
      assert.ok(Date.parse(expirationTimestamp ?? '') > Date.now() + 3_500_000);
      assert.equal(hub.tokens[0]?.boundTo?.uid, uid);
      assert.equal(hub.tokens[0].serviceAccount, 'robot');
      assert.deepEqual(hub.tokens[0].audiences, ['api']);
    });

    it('is given for audiences that the pod names, and not for longer than it says', async () => {
      const uid = await podOf(NODE);
      const body = request(uid, { audiences: ['vault'], expirationSeconds: 1_000_000 });
      assert.equal((await hub.say(NODE, 'token-request', body)).status, 0);
      assert.deepEqual(hub.tokens[0]?.audiences, ['vault']);
      assert.equal(hub.tokens[0].expirationSeconds, 7200);
    });

    it('is not given for a pod of another node, another account, another audience, an older pod', async () => {
      const uid = await podOf(NODE);
      // A cache that is wrong gives nothing away.
      hub.view.setPod('default', 'web', { uid, nodeName: OTHER, serviceAccountName: 'admin' });
      assert.equal((await hub.say(OTHER, 'token-request', request(uid))).status, 403);
      const account = request(uid, { serviceAccount: 'admin' });
      assert.equal((await hub.say(NODE, 'token-request', account)).status, 403);
      for (const audiences of [['other'], ['vault', 'other']]) {
        assert.equal((await hub.say(NODE, 'token-request', request(uid, { audiences }))).status, 403);
      }
      assert.equal((await hub.say(NODE, 'token-request', request('older'))).status, 404);
      assert.equal((await hub.say(NODE, 'token-request', request(uid, { audiences: [''] }))).status, 400);
      assert.deepEqual(hub.tokens, []);
    });

    it('is not given for a pod that has ended, nor for one that has no such volume', async () => {
      const uid = await podOf(NODE, { phase: 'Failed' });
      assert.equal((await hub.say(NODE, 'token-request', request(uid))).status, 422);
      const plain = await hub.pod('plain', NODE, { spec: { serviceAccountName: 'robot' } });
      const body = request(uidOf(plain), { podName: 'plain' });
      assert.equal((await hub.say(NODE, 'token-request', body)).status, 403);
      assert.deepEqual(hub.tokens, []);
    });
  });

  describe('a new certificate', () => {
    const PEER = { nodeName: NODE } as PeerIdentity; // the rest is not looked at here

    it('is signed for whom the session proves to be', async () => {
      const asked: unknown[] = [];
      const renewing = await startHub({
        certificates: {
          peerOf: (node) => (node === NODE ? PEER : undefined),
          renew(peer, csr) {
            asked.push([peer, csr]);
            return Promise.resolve({ certificate: 'CERT', authorities: 'CAS' });
          },
        },
      });
      try {
        const outcome = await renewing.say(NODE, 'certificate-renewal', { csr: 'CSR' });
        assert.deepEqual(answerOf(outcome), { certificate: 'CERT', authorities: 'CAS' });
        assert.deepEqual(asked, [[PEER, 'CSR']]);
        assert.equal((await renewing.say(OTHER, 'certificate-renewal', { csr: 'CSR' })).status, 503);
      } finally {
        await renewing.stop();
      }
    });

    it('that the authority refuses is refused', async () => {
      const renewing = await startHub({
        certificates: {
          peerOf: () => PEER,
          renew: () => Promise.reject(forbidden({ group: '', resource: 'certificates' }, NODE, 'revoked')),
        },
      });
      try {
        const outcome = await renewing.say(NODE, 'certificate-renewal', { csr: 'CSR' });
        assert.equal(outcome.status, 403);
        assert.match(outcome.message ?? '', /revoked/);
      } finally {
        await renewing.stop();
      }
    });
  });

  it('writes nothing for a node that was not asked to', async () => {
    await hub.say(NODE, 'node', nodeBody());
    assert.deepEqual([...hub.state().keys()], ['nodes//edge-1']);
  });
});
