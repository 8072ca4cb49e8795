import assert from 'node:assert/strict';
import { revokeNode } from '@hawser/cloudcore';
import { RESOURCES } from '@hawser/kube';
import type { Credentials } from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';
import { eventually } from '@hawser/seams/testing';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { boundPod } from '../../src/cluster-site/site-objects.ts';
import { allRunning } from './pod-phases.ts';
import { garbage, identityOf, RawEdge } from './raw-edge.ts';

const OTHER = 'edge-2';
const POD = 'pod-of-another';

// A node's certificate is worth what concerns that node: nothing that a stolen one says gives it anything else.
describe('a hostile edge with a certificate of its own', function () {
  this.timeout(60_000);
  let site: ClusterSite;
  let other: SiteEdge;
  let own: Credentials;
  let raw: RawEdge;
  const raws: RawEdge[] = [];

  before(async () => {
    site = await ClusterSite.open({ replicas: 2, hub: { logLevel: 'error' } });
    own = await identityOf(await site.joined('edge-1'));
    other = await site.edge(OTHER);
    await site.objects.createAll([boundPod(POD, OTHER)]);
    await allRunning(site, [POD]);
    await other.until(({ outbox }) => outbox.waiting === 0);
  });

  beforeEach(() => {
    raw = dial('edge-1', own);
  });

  afterEach(async () => {
    await Promise.all(raws.splice(0).map((each) => each.stop()));
  });

  after(() => site.close());

  function dial(node: string, credentials: Credentials, hub = 0): RawEdge {
    const edge = new RawEdge(node, credentials, site.directAddress(hub));
    raws.push(edge);
    return edge;
  }

  it('gets no scope but its own', async () => {
    const epoch = (await raw.session()).info.epoch;
    await raw.subscribe(1, 'node', OTHER);
    await raw.subscribe(2, 'pool', 'anything');
    await raw.subscribe(3, 'node', '');
    await eventually('three refusals', () => errors().length === 3);
    assert.deepEqual(errors(), [
      ['ERR_CLOUDCORE_FORBIDDEN', 1],
      ['ERR_CLOUDCORE_FORBIDDEN', 2],
      ['ERR_CLOUDCORE_FORBIDDEN', 3],
    ]);
    assert.ok(!raw.frames.some(({ body }) => body === 'delta'));
    assert.equal(await site.hubMetric('hawser_scopes_forbidden_total'), 3);
    assert.equal((await raw.session()).info.epoch, epoch, 'the session lasts');
  });

  it('says nothing about pods of another node, nor gets their tokens', async () => {
    const { metadata } = await site.objects.get(RESOURCES.pods, POD);
    const before = (await site.objects.get(RESOURCES.pods, POD))['status'];
    const refused = await site.hubMetric('hawser_upstream_refused_total');
    const { uid = '' } = metadata;
    const pod = { namespace: 'default', name: POD, uid };
    const token = {
      ...{ namespace: 'default', serviceAccount: 'default', podName: POD, podUid: uid },
      ...{ audiences: [], expirationSeconds: 3600 },
    };
    const now = new Date().toISOString();
    const event = {
      id: '6f1b3f4e-0000-4000-8000-000000000001',
      regarding: { kind: 'Pod', apiVersion: 'v1', namespace: 'default', name: POD, uid },
      ...{ type: 'Warning', reason: 'Lies', message: 'lies', count: 1, component: 'raw' },
      ...{ firstTimestamp: now, lastTimestamp: now },
    };
    const answers = {
      pod: await raw.upstream('pod', { ...pod, status: { phase: 'Failed' } }),
      'pod-gone': await raw.upstream('pod-gone', pod),
      event: await raw.upstream('event', event),
      'token-request': await raw.upstream('token-request', token),
    };
    for (const [kind, { status, body }] of Object.entries(answers)) {
      assert.equal(status, 403, kind);
      assert.equal(body.length, 0, kind);
    }
    assert.equal((await site.hubMetric('hawser_upstream_refused_total')) - refused, 4);
    assert.deepEqual((await site.objects.get(RESOURCES.pods, POD))['status'], before);
    const events = await site.objects.list(RESOURCES.events);
    assert.ok(!events.some((each) => each['reason'] === 'Lies'));
  });

  it('is told that what cannot be read is wrong', async () => {
    const answers = [
      await raw.upstream('pod', garbage(2000)),
      await raw.upstream('no-such-kind', {}),
      await raw.upstream('pod', { namespace: 'default', name: '../../secrets/x', uid: 'x', status: {} }),
      await raw.upstream('node', { labels: 1 }),
      await raw.upstream('token-request', new Uint8Array(0)),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [400, 400, 400, 400, 400],
    );
  });

  const breaches: Record<string, (edge: RawEdge) => Promise<void>> = {
    'a state that is none': (edge) => edge.subscribe(1, 'node', 'edge-1', garbage(100)),
    'the same scope twice': async (edge) => {
      await edge.subscribe(1, 'node', 'edge-1');
      await edge.subscribe(1, 'node', 'edge-1');
    },
    'an acknowledgement of what was never sent': async (edge) => {
      await edge.subscribe(1, 'node', 'edge-1');
      await (await edge.session()).send({ deltaAck: { scope: 1, sequence: 77 } });
    },
    'an inventory that nobody asked for': async (edge) => {
      await edge.subscribe(1, 'node', 'edge-1');
      await (await edge.session()).send({ scopeReport: { scope: 1, body: garbage(64) } });
    },
    'a frame that is none': async (edge) => {
      const frame = Buffer.from([5, 0xff, 0xff, 0xff, 0xff, 0xff]);
      await (await edge.session()).sendBytes(frame);
    },
    'a frame that is longer than any': async (edge) => {
      await (await edge.session()).sendBytes(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3]));
    },
  };
  for (const [what, commit] of Object.entries(breaches)) {
    it(`loses its session by ${what}, and nobody else does`, async () => {
      const { epoch } = (await other.admin.status()).session;
      await raw.session();
      await commit(raw);
      const { code } = await raw.end();
      assert.ok(code === 'protocol-error' || code === 'limit-exceeded' || code === 'internal', code);
      assert.equal((await other.admin.status()).session.epoch, epoch);
      assert.ok(await other.inSync());
    });
  }

  it('is not let in under the name of another node', async () => {
    assert.equal(await dial(OTHER, own).refused(), 'ERR_TUNNEL_CERT_NAME');
  });

  it('is not let in with a certificate of another authority', async () => {
    const forged = await (await TestAuthority.create()).edge(OTHER);
    const code = await dial(OTHER, { ...forged, authorities: own.authorities }).refused();
    assert.match(code, /^ERR_TUNNEL_/);
    assert.ok(await other.inSync());
  });

  it('loses its session once it is revoked, and gets none at any replica', async () => {
    await raw.session();
    await revokeNode(site.client, 'edge-1');
    assert.equal((await raw.end()).code, 'revoked');
    for (const hub of [0, 1])
      assert.equal(await dial('edge-1', own, hub).refused(), 'ERR_TUNNEL_CERT_REVOKED');
    assert.ok(await other.inSync(), 'the other node is not affected');
  });

  function errors(): unknown[] {
    return raw.frames.flatMap((frame) =>
      frame.body === 'error' ? [[frame.error.code, frame.error.scope]] : [],
    );
  }
});
