import assert from 'node:assert/strict';
import { makePod } from '../../testing/pod-maker.ts';
import { LocalSite, NODE, type Reply } from './local-site.ts';
import { authenticationOf, TokenMaker } from './token-maker.ts';

const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
const READ = ['get', 'list', 'watch'];

function slice(name: string, address: string): object {
  return {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
  };
}

function names({ body }: Reply): readonly string[] {
  return (body['items'] as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
}

/** Without the version that a list shows. */
function sinceWhen({ body }: Reply): object {
  return 'items' in body ? { ...body, metadata: {} } : body;
}

describe('the local API', function () {
  this.timeout(20_000);
  let site: LocalSite;
  let token: string;

  before(async () => {
    site = new LocalSite();
    await site.start();
    const { cluster } = site;
    await cluster.put('endpointslices', slice('web-1', '10.0.0.1'), 'discovery.k8s.io');
    await cluster.put('services', {
      kind: 'Service',
      apiVersion: 'v1',
      metadata: { name: 'web', namespace: 'default' },
      spec: { clusterIP: '10.96.0.9', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
    });
    await cluster.put(
      'tills',
      {
        kind: 'Till',
        apiVersion: 'shop.example/v1',
        metadata: { name: 'one', namespace: 'default' },
        coins: 3,
      },
      'shop.example',
    );
    await cluster.put('configmaps', {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'far', namespace: 'default' },
    });
    await cluster.allow('app', [
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: READ },
      { apiGroups: ['shop.example'], resources: ['tills'], verbs: READ },
      { apiGroups: [''], resources: ['services', 'configmaps', 'pods', 'nodes'], verbs: READ },
      { apiGroups: [''], resources: ['pods/exec'], verbs: ['create', 'get'] },
    ]);
    site.addPod(makePod('web', { spec: { serviceAccountName: 'app' } }));
    token = await site.token({ pod: { name: 'web', uid: 'uid-web' }, node: NODE });
  });

  beforeEach(() => {
    site.cloud.available = true;
    site.cloud.forwarded.length = 0;
  });

  after(() => site.stop());

  describe('what the pool shares', () => {
    const paths: readonly (readonly [string, string])[] = [
      ['a list', SLICES],
      ['a list over all namespaces', '/apis/discovery.k8s.io/v1/endpointslices'],
      ['one', `${SLICES}/web-1`],
      ['one that is not there', `${SLICES}/no`],
      ['a selection', `${SLICES}?labelSelector=kubernetes.io%2Fservice-name%3Dweb`],
      ['a selection by name', `${SLICES}?fieldSelector=metadata.name%3Dweb-1`],
      ['a selector that is none', `${SLICES}?labelSelector=%21%21`],
      ['a field that cannot be selected by', `${SLICES}?fieldSelector=spec.x%3Dy`],
      ['a core resource', '/api/v1/namespaces/default/services/web'],
    ];
    for (const [what, path] of paths) {
      it(`is answered as by the API server, without it: ${what}`, async () => {
        const { local, cluster } = await site.both('GET', path, { token });
        assert.equal(local.status, cluster.status);
        // A replica is as new as its own resource; the cluster's store has one version for all.
        assert.deepEqual(sinceWhen(local), sinceWhen(cluster));
        assert.deepEqual(site.cloud.forwarded, []);
      });
    }

    it('is printed as by the API server', async () => {
      const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
      for (const path of ['/api/v1/namespaces/default/services', SLICES]) {
        const { local, cluster } = await site.both('GET', path, { token, headers: { accept } });
        assert.equal(local.body['kind'], 'Table');
        assert.deepEqual(local.body['columnDefinitions'], cluster.body['columnDefinitions']);
        assert.deepEqual(local.body['rows'], cluster.body['rows']);
      }
    });

    it('may be of any kind', async () => {
      const { status, body } = await site.send('GET', '/apis/shop.example/v1/namespaces/default/tills/one', {
        token,
      });
      assert.equal(status, 200);
      assert.equal(body['coins'], 3);
      const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
      const table = await site.send('GET', '/apis/shop.example/v1/tills', { token, headers: { accept } });
      const [row] = table.body['rows'] as { cells: unknown[] }[];
      assert.equal(row?.cells[0], 'one');
    });

    it('is not written here, and not read in another version', async () => {
      await site.send('POST', SLICES, { token, body: slice('new', '10.0.0.3') });
      await site.send('GET', '/apis/discovery.k8s.io/v1beta1/endpointslices', { token });
      assert.deepEqual(site.cloud.forwarded, [
        `POST ${SLICES}`,
        'GET /apis/discovery.k8s.io/v1beta1/endpointslices',
      ]);
    });
  });

  describe('what the node has', () => {
    it('is its pods', async () => {
      const path = `/api/v1/pods?fieldSelector=spec.nodeName%3D${NODE}`;
      const listed = await site.send('GET', path, { token });
      assert.deepEqual(names(listed), ['web']);
      const one = await site.send('GET', '/api/v1/namespaces/default/pods/web', { token });
      assert.equal((one.body['metadata'] as { uid: string }).uid, 'uid-web');
      assert.deepEqual(site.cloud.forwarded, []);
      await site.send('GET', '/api/v1/pods', { token });
      assert.deepEqual(site.cloud.forwarded, ['GET /api/v1/pods']);
    });

    it('is an object that a pod uses, and one whose kind only the object tells', async () => {
      const metadata = { name: 'near', namespace: 'default' };
      await site.addObject('configmaps', { kind: 'ConfigMap', apiVersion: 'v1', metadata, data: { a: '1' } });
      const near = await site.send('GET', '/api/v1/namespaces/default/configmaps/near', { token });
      assert.deepEqual(near.body['data'], { a: '1' });
      await site.addObject('printers.shop.example', {
        ...{ kind: 'Printer', apiVersion: 'shop.example/v2', metadata },
      });
      const path = '/apis/shop.example/v2/namespaces/default/printers/near';
      assert.equal((await site.send('GET', path, { token })).status, 403);
      assert.deepEqual(site.cloud.forwarded, []);
      const far = await site.send('GET', '/api/v1/namespaces/default/configmaps/far', { token });
      assert.equal(far.status, 200);
      assert.deepEqual(site.cloud.forwarded, ['GET /api/v1/namespaces/default/configmaps/far']);
    });

    it('does not go on at the API server with a version of this node', async () => {
      const path = `/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=${Date.now() * 1000}`;
      const { status, body } = await site.send('GET', path, { token });
      assert.deepEqual([status, body['reason']], [410, 'Expired']);
    });
  });

  describe('who asks (P22)', () => {
    const list = SLICES;

    async function refused(wish: Parameters<TokenMaker['make']>[0], maker = site.maker): Promise<void> {
      const bad = await maker.make(wish);
      for (const available of [true, false]) {
        site.cloud.available = available;
        for (const path of [list, '/api/v1/namespaces/default/secrets', '/version', '/apis']) {
          const { local, cluster } = await site.both('GET', path, { token: bad });
          assert.equal(local.status, 401, `${path}, cloud: ${String(available)}`);
          assert.deepEqual(local.body, cluster.body);
          assert.equal(local.headers['content-type'], cluster.headers['content-type']);
        }
      }
      assert.deepEqual(site.cloud.forwarded, []);
    }

    const now = Math.floor(Date.now() / 1000);
    const tokens: readonly (readonly [string, Parameters<TokenMaker['make']>[0]])[] = [
      ['an expired token', { notBefore: now - 7200, expires: now - 120 }],
      ['a token of later', { notBefore: now + 3600 }],
      ['a token for somebody else', { audience: 'vault' }],
      ['a token of another issuer', { issuer: 'https://other.example' }],
      ['a token whose subject is another account', { subject: 'system:serviceaccount:kube-system:admin' }],
      ['a token without a service account', { claims: { 'kubernetes.io': {} } }],
      ['a token of a pod that is gone', { pod: { name: 'gone', uid: 'uid-gone' }, node: NODE }],
      ['a token of a pod before this one', { pod: { name: 'web', uid: 'uid-before' }, node: NODE }],
      ['the same, of an older API server', { pod: { name: 'web', uid: 'uid-before' } }],
    ];
    for (const [what, wish] of tokens) {
      it(`401 for ${what}, with and without a cloud`, () => refused(wish));
    }

    it('401 for a token of another cluster, with and without a cloud', async () => {
      await refused({}, new TokenMaker('k1'));
      await refused({}, new TokenMaker('k2'));
    });

    it('401 for what is no token of a key pair', async () => {
      const [, claims = ''] = (await site.maker.make()).split('.');
      const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`;
      // Signed with the public key as if it were a shared secret.
      const { createHmac } = await import('node:crypto');
      const head = Buffer.from(JSON.stringify({ alg: 'HS256', kid: 'k1' })).toString('base64url');
      const mac = createHmac('sha256', site.maker.publicKeyPem)
        .update(`${head}.${claims}`)
        .digest('base64url');
      for (const bad of [none, `${head}.${claims}.${mac}`, 'x', 'a.b.c', `${'x'.repeat(20_000)}.y.z`]) {
        const { local, cluster } = await site.both('GET', list, { token: bad });
        assert.equal(local.status, 401);
        assert.deepEqual(local.body, cluster.body);
      }
    });

    it('403 for one without the right, with and without a cloud, word for word', async () => {
      const poor = await site.token({ account: 'poor' });
      for (const available of [true, false]) {
        site.cloud.available = available;
        for (const path of [
          list,
          `${list}/web-1`,
          '/api/v1/secrets',
          '/api/v1/namespaces/default/pods/x/log',
        ]) {
          const { local, cluster } = await site.both('GET', path, { token: poor });
          assert.equal(local.status, 403, path);
          assert.deepEqual(local.body, cluster.body);
        }
      }
    });

    it('403 for nobody, word for word; what everybody may see is seen', async () => {
      for (const available of [true, false]) {
        site.cloud.available = available;
        for (const path of [list, '/api/v1/secrets', '/apis']) {
          const { local, cluster } = await site.both('GET', path);
          assert.equal(local.status, 403, path);
          assert.deepEqual(local.body, cluster.body);
        }
        assert.equal((await site.send('GET', '/version')).status, 200);
        assert.equal((await site.send('GET', '/readyz')).status, 200);
      }
      assert.deepEqual(site.cloud.forwarded, []);
    });

    it('takes a token of a pod of another node, and one of new keys at once', async () => {
      const other = await site.maker.make({ pod: { name: 'far', uid: 'uid-far' }, node: 'edge-2' });
      assert.equal((await site.send('GET', list, { token: other })).status, 200);
      const rsa = new TokenMaker('k9', 'RS256');
      const renewed = await rsa.make();
      assert.equal((await site.send('GET', list, { token: renewed })).status, 401);
      site.pool.authentication(authenticationOf([rsa, site.maker]));
      assert.equal((await site.send('GET', list, { token: renewed })).status, 200);
      assert.equal((await site.send('GET', list, { token })).status, 200);
      // Two keys could have signed it, and it does not say which.
      const twin = new TokenMaker('k8');
      site.pool.authentication(authenticationOf([twin, site.maker]));
      for (const maker of [twin, site.maker]) {
        const unnamed = await maker.make({ kid: null });
        assert.equal((await site.send('GET', list, { token: unnamed })).status, 200);
      }
      site.pool.authentication(authenticationOf([site.maker]));
      assert.equal((await site.send('GET', list, { token: renewed })).status, 401);
    });

    it('goes by the time that is known, not by the clock of the machine', async () => {
      const short = await site.maker.make({ expires: now + 600 });
      const { wallMs } = site;
      try {
        site.wallMs = () => Date.now() + 3_600_000;
        assert.equal((await site.send('GET', list, { token: short })).status, 401);
      } finally {
        site.wallMs = wallMs;
      }
      assert.equal((await site.send('GET', list, { token: short })).status, 200);
    });

    it('says who one is as the API server does', async () => {
      const body = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' };
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      const { local, cluster } = await site.both('POST', path, { token, body });
      assert.equal(local.status, 201);
      assert.deepEqual(local.body['status'], cluster.body['status']);
      assert.deepEqual(site.cloud.forwarded, []);
    });
  });

  describe('without the cloud', () => {
    beforeEach(() => {
      site.cloud.available = false;
    });

    it('says what is to be had instead', async () => {
      const { status, body } = await site.send('GET', '/api/v1/namespaces/default/configmaps/far', { token });
      assert.equal(status, 503);
      assert.equal(body['kind'], 'Status');
      assert.equal(body['reason'], 'ServiceUnavailable');
      assert.match(
        String(body['message']),
        /^the API server cannot be reached from node edge-1\..* services, /,
      );
    });

    it('has watches go on later, from where they were', async () => {
      const path = '/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=7';
      const { status, body } = await site.send('GET', path, { token });
      // After any other code client-go's reflector begins anew, with a list.
      assert.equal(status, 429);
      assert.equal(body['reason'], 'TooManyRequests');
      assert.deepEqual(body['details'], { retryAfterSeconds: 1 });
    });

    it('answers reviews by the rules that are here, as the API server would', async () => {
      const ask = (resource: string): object => ({
        ...{ kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1' },
        spec: { resourceAttributes: { verb: 'list', resource, namespace: 'default' } },
      });
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      for (const [resource, allowed] of [
        ['services', true],
        ['secrets', false],
      ] as const) {
        const { local, cluster } = await site.both('POST', path, { token, body: ask(resource) });
        assert.equal((local.body['status'] as { allowed: boolean }).allowed, allowed);
        assert.deepEqual(local.body, { ...cluster.body, metadata: local.body['metadata'] });
      }
      site.cloud.available = true;
      await site.send('POST', path, { token, body: ask('services') });
      assert.deepEqual(site.cloud.forwarded, [`POST ${path}`]);
    });

    it('checks tokens for those who may ask that', async () => {
      await site.cluster.allow('proxy', [
        { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      ]);
      const proxy = await site.token({ account: 'proxy' });
      const review = (checked: string): object => ({
        ...{ kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec: { token: checked } },
      });
      const path = '/apis/authentication.k8s.io/v1/tokenreviews';
      const good = await site.both('POST', path, { token: proxy, body: review(token) });
      assert.deepEqual(
        (good.local.body['status'] as { user: unknown }).user,
        (good.cluster.body['status'] as { user: unknown }).user,
      );
      const bad = await site.both('POST', path, { token: proxy, body: review('x.y.z') });
      assert.deepEqual(bad.local.body['status'], bad.cluster.body['status']);
    });

    it('answers what the API server has said of itself, after a restart too', async () => {
      const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
      const asked: readonly (readonly [string, string])[] = [
        ['/version', 'application/json'],
        ['/apis', accept],
        ['/api', accept],
        ['/apis', 'application/json'],
        ['/openapi/v3', 'application/json'],
      ];
      const heard = new Map<string, Reply>();
      site.cloud.available = true;
      for (const [path, form] of asked) {
        heard.set(`${path} ${form}`, await site.send('GET', path, { token, headers: { accept: form } }));
      }
      assert.equal(site.cloud.forwarded.length, asked.length);
      site.cloud.available = false;
      for (const isRestarted of [false, true]) {
        if (isRestarted) {
          await site.close();
          await site.open();
        }
        for (const [path, form] of asked) {
          const again = await site.send('GET', path, { token, headers: { accept: form } });
          const before = heard.get(`${path} ${form}`);
          assert.deepEqual(again.body, before?.body, path);
          assert.equal(again.headers['content-type'], before?.headers['content-type']);
          const { etag } = again.headers;
          if (etag === undefined) continue;
          const same = await site.send('GET', path, {
            token,
            headers: { accept: form, 'if-none-match': etag },
          });
          assert.equal(same.status, 304);
        }
      }
      // Nobody has asked for it in this form: what is here is told.
      const own = await site.send('GET', '/apis/discovery.k8s.io/v1', { token });
      const [resource] = own.body['resources'] as { name: string; verbs: string[] }[];
      assert.deepEqual([resource?.name, resource?.verbs], ['endpointslices', READ]);
    });
  });

  describe('with the cloud', () => {
    it('passes on the rest, and changes of the protocol', async () => {
      const path = '/api/v1/namespaces/default/configmaps/far';
      const { local, cluster } = await site.both('GET', path, { token });
      assert.deepEqual(local.body, cluster.body);
      const headers = { connection: 'Upgrade', upgrade: 'test' };
      const exec = '/api/v1/namespaces/default/pods/web/exec';
      assert.equal((await site.send('GET', exec, { token, headers })).status, 101);
      assert.equal(
        site.cloud.forwarded.at(-1),
        'UPGRADE /api/v1/namespaces/default/pods/web/exec system:serviceaccount:default:app',
      );
    });

    it('passes on nothing of accounts that no pod of the node runs as, and serves them what is here', async () => {
      await site.cluster.allow('agent', [
        { apiGroups: [''], resources: ['services', 'configmaps'], verbs: READ },
      ]);
      for (const wish of [
        { account: 'agent' },
        // Its account has a pod here, and it is bound to another one.
        { pod: { name: 'far', uid: 'uid-far' }, node: 'edge-2' },
      ]) {
        const other = await site.token(wish);
        assert.equal((await site.send('GET', '/api/v1/services', { token: other })).status, 200);
        assert.equal((await site.send('GET', '/apis', { token: other })).status, 200);
        const refused = await site.send('GET', '/api/v1/configmaps', { token: other });
        assert.equal(refused.status, 403);
        assert.match(String(refused.body['message']), /of the service accounts of its pods on/);
        const review = {
          ...{ kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1' },
          spec: { resourceAttributes: { verb: 'list', resource: 'services' } },
        };
        const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
        const { body } = await site.send('POST', path, { token: other, body: review });
        assert.equal((body['status'] as { allowed: boolean }).allowed, true);
      }
      assert.deepEqual(site.cloud.forwarded, []);
    });

    it('passes on nothing in the name of somebody else', async () => {
      await site.cluster.allow('boss', [
        { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'] },
        { apiGroups: [''], resources: ['configmaps'], verbs: READ },
      ]);
      const boss = await site.token({ account: 'boss' });
      const headers = { 'impersonate-user': 'system:serviceaccount:default:app' };
      const path = '/api/v1/namespaces/default/configmaps/far';
      const { status, body } = await site.send('GET', path, { token: boss, headers });
      assert.equal(status, 403);
      assert.match(String(body['message']), /does not pass requests on/);
      assert.deepEqual(site.cloud.forwarded, []);
      const here = await site.send('GET', SLICES, { token: boss, headers });
      assert.deepEqual([here.status, names(here).includes('web-1')], [200, true]);
    });
  });

  describe('metrics', () => {
    it('counts what it answers, and from where', async () => {
      await site.send('GET', SLICES, { token });
      await site.send('GET', '/api/v1/namespaces/default/configmaps/far', { token });
      site.cloud.available = false;
      await site.send('GET', '/api/v1/namespaces/default/configmaps/far', { token });
      await site.send('GET', '/version', { token });
      const text = await site.metrics.metrics();
      const counted = (labels: string): RegExp =>
        new RegExp(`hawser_local_api_requests_total\\{${labels}\\} [1-9]`);
      assert.match(text, counted('verb="list",resource="endpointslices",code="200",source="local"'));
      assert.match(text, counted('verb="get",resource="configmaps",code="200",source="cloud"'));
      assert.match(text, counted('verb="get",resource="configmaps",code="503",source="none"'));
      assert.match(text, counted('verb="get",resource="",code="200",source="remembered"'));
      assert.match(text, /hawser_local_api_watches\{source="cloud"\} 0/);
      assert.match(text, /hawser_local_api_remembered_answers [1-9]/);
    });
  });
});
