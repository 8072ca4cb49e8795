import assert from 'node:assert/strict';
import { MemoryStore } from '@hawser/kube';
import { silentLogger, systemClock } from '@hawser/seams';
import { makePod } from '../../testing/pod-maker.ts';
import { shownToClients } from '../../src/local-api/client-filters.ts';
import { LocalStore } from '../../src/local-store/local-store.ts';
import { LocalSite } from './local-site.ts';
import { MirrorPool } from './mirror-pool.ts';
import { authenticationOf } from './token-maker.ts';

const SERVICES = '/api/v1/namespaces/default/services';
const ROLES = 'clusterroles.rbac.authorization.k8s.io';

describe('the local API before the cluster has said all', function () {
  this.timeout(20_000);
  let site: LocalSite;

  beforeEach(async () => {
    site = new LocalSite();
    await site.start();
    await site.cluster.allow('app', [{ apiGroups: [''], resources: ['services'], verbs: ['list'] }]);
  });

  afterEach(() => site.stop());

  it('knows nobody without the keys of the cluster: 503, and not 401', async () => {
    const token = await site.token();
    const keys = site.pool.view('clusterauthentications.hawser.dev');
    for (const { key } of keys?.contents() ?? []) keys?.set(key, undefined, '2');
    site.cloud.available = false;
    const { status, body } = await site.send('GET', SERVICES, { token });
    assert.deepEqual([status, body['reason']], [503, 'ServiceUnavailable']);
    assert.match(String(body['message']), /the keys of the cluster/);
    assert.equal((await site.send('GET', '/readyz')).status, 200);
  });

  it('waits for the keys while the cloud is near', async () => {
    const token = await site.token();
    const keys = site.pool.view('clusterauthentications.hawser.dev');
    for (const { key } of keys?.contents() ?? []) keys?.set(key, undefined, '2');
    const answer = site.send('GET', SERVICES, { token });
    site.pool.authentication(authenticationOf([site.maker]));
    assert.equal((await answer).status, 200);
  });

  it('refuses nobody without the rules: 503, and not 403', async () => {
    const token = await site.token();
    const roles = site.pool.view(ROLES);
    if (roles !== undefined) roles.ready = false;
    site.cloud.available = false;
    const { status, body } = await site.send('GET', SERVICES, { token });
    assert.equal(status, 503);
    assert.match(String(body['message']), /the rules of who may do what/);
    if (roles !== undefined) roles.ready = true;
    assert.equal((await site.send('GET', SERVICES, { token })).status, 200);
  });

  it('passes on what the pool shares while it is not here yet', async () => {
    const token = await site.token();
    const services = site.pool.view('services');
    if (services !== undefined) services.ready = false;
    const early = await site.send('GET', SERVICES, { token });
    assert.deepEqual([early.status, early.body['reason']], [503, 'ServiceUnavailable']);
    site.addPod(makePod('web', { spec: { serviceAccountName: 'app' } }));
    assert.equal((await site.send('GET', SERVICES, { token })).status, 200);
    assert.deepEqual(site.cloud.forwarded, [`GET ${SERVICES}`]);
    site.cloud.available = false;
    assert.equal((await site.send('GET', SERVICES, { token })).status, 503);
  });

  it('goes by new rules at once', async () => {
    const token = await site.token();
    assert.equal((await site.send('GET', SERVICES, { token })).status, 200);
    await site.cluster.remove('clusterrolebindings', '', 'test-app', 'rbac.authorization.k8s.io');
    assert.equal((await site.send('GET', SERVICES, { token })).status, 403);
  });
});

describe('what clients are shown', () => {
  it('is by the first word of their User-Agent, whatever its case', async () => {
    const objects = new MemoryStore();
    const store = new LocalStore({ pool: new MirrorPool(objects), clock: systemClock });
    const shownTo = shownToClients(
      store,
      { 'kube-proxy': 'topology, api-server', coredns: 'topology', odd: 'nothing' },
      { node: 'edge-1', api: () => undefined },
      silentLogger,
    );
    const proxy = shownTo('kube-proxy/v1.33.1 (linux/amd64) kubernetes/abc');
    assert.notEqual(proxy, store);
    assert.equal(shownTo('kube-proxy'), proxy);
    assert.notEqual(shownTo('CoreDNS/1.11.1 git_commit:none'), store);
    assert.notEqual(shownTo('CoreDNS/1.11.1'), proxy);
    for (const other of [undefined, '', 'kubectl/v1.33.0', 'odd/1', 'my-kube-proxy/1'])
      assert.equal(shownTo(other), store);
    await store.close();
    await objects.close();
  });
});
