import assert from 'node:assert/strict';
import { eventually } from '@hawser/seams/testing';
import {
  clientCertificateAuthenticator,
  type TokenAuthenticator,
} from '../../src/server/auth/authenticator.ts';
import { privilegedGroupAuthorizer, unionAuthorizer } from '../../src/server/auth/authorizer.ts';
import { createBootstrapPolicy } from '../../src/server/auth/bootstrap-policy.ts';
import { RbacAuthorizer } from '../../src/server/auth/rbac-authorizer.ts';
import { MASTERS, userInfo } from '../../src/server/auth/user.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { startKubeFixture, type KubeFixture } from '../../testing/kube-fixture.ts';
import { testCertificates, type KeyPair, type TestCertificates } from '../client/certificates.ts';
import { send, type Reply, type Sent } from './http.ts';

const tokens: TokenAuthenticator = {
  authenticateToken: (token) => (token === 'good' ? { user: userInfo('robot', ['robots']) } : undefined),
};

describe('server: TLS, authentication and RBAC', () => {
  let certificates: TestCertificates;
  let fixture: KubeFixture;
  let admin: KeyPair;
  let other: KeyPair;

  before(async () => {
    certificates = await testCertificates();
    admin = await certificates.client('root, O=system:masters');
    other = await certificates.client('alice, O=devs, O=testers');
    const store = new MemoryStore();
    const rbac = new RbacAuthorizer(store);
    await createBootstrapPolicy(store, Date.now());
    await createBootstrapPolicy(store, Date.now()); // a second time changes nothing
    fixture = await startKubeFixture({
      store,
      server: {
        tls: { ...certificates.server, clientCa: certificates.ca },
        authenticators: [clientCertificateAuthenticator],
        tokens,
        authorizer: unionAuthorizer([privilegedGroupAuthorizer(MASTERS), rbac]),
        rules: rbac,
      },
    });
  });
  after(() => fixture.stop());

  const as = (pair: KeyPair | undefined, method: string, path: string, sent: Sent = {}): Promise<Reply> =>
    send(fixture.url, method, path, { ...sent, tls: { ca: certificates.ca, ...pair } });

  it('knows a client certificate: CN is the user, each O a group', async () => {
    const { body } = await as(other, 'POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      body: {},
    });
    const { userInfo: user } = body['status'] as { userInfo: unknown };
    assert.deepEqual(user, { username: 'alice', groups: ['devs', 'testers', 'system:authenticated'] });
    assert.equal((await as(admin, 'GET', '/api/v1/nodes')).status, 200);
  });

  it('takes a certificate of another authority for none', async () => {
    const foreign = await (await testCertificates()).client('root, O=system:masters');
    const reply = await as(foreign, 'GET', '/api/v1/nodes');
    assert.equal(reply.status, 403);
    assert.match(String(reply.body['message']), /User "system:anonymous" cannot list/);
  });

  it('knows a bearer token, and refuses a bad one', async () => {
    const bearer = (token: string): Sent => ({ headers: { authorization: `Bearer ${token}` } });
    const good = await as(undefined, 'GET', '/version', bearer('good'));
    assert.equal(good.status, 200);
    const bad = await as(undefined, 'GET', '/version', bearer('bad'));
    assert.equal(bad.status, 401);
    const basic = await as(undefined, 'GET', '/version', { headers: { authorization: 'Basic eDp5' } });
    assert.equal(basic.status, 401);
  });

  it('lets anonymous clients see health and version, no more', async () => {
    assert.equal((await as(undefined, 'GET', '/healthz')).status, 200);
    assert.equal((await as(undefined, 'GET', '/version')).status, 200);
    assert.equal((await as(undefined, 'GET', '/api')).status, 403);
  });

  it('lets only those impersonate who may', async () => {
    const headers = { 'impersonate-user': 'bob', 'impersonate-group': ['devs', 'a,b'] };
    const review = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const allowed = await as(admin, 'POST', review, { body: {}, headers });
    const { userInfo: user } = allowed.body['status'] as { userInfo: { groups: string[] } };
    assert.deepEqual(user.groups, ['devs', 'a,b', 'system:authenticated']);
    const refused = await as(other, 'POST', review, { body: {}, headers });
    assert.equal(refused.status, 403);
    assert.match(String(refused.body['message']), /cannot impersonate resource "users"/);
    const groupOnly = await as(admin, 'GET', '/version', { headers: { 'impersonate-group': 'devs' } });
    assert.equal(groupOnly.status, 400);
  });

  it('allows what roles and bindings in the store allow, from one request to the next', async () => {
    const secrets = '/api/v1/namespaces/default/secrets';
    assert.equal((await as(other, 'GET', secrets)).status, 403);
    const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
    await as(admin, 'POST', `${rbac}/roles`, {
      body: {
        metadata: { name: 'reader' },
        rules: [
          { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] },
          { apiGroups: [''], resources: ['configmaps'], resourceNames: ['one'], verbs: ['get'] },
        ],
      },
    });
    await as(admin, 'POST', `${rbac}/rolebindings`, {
      body: {
        metadata: { name: 'readers' },
        roleRef: { kind: 'Role', name: 'reader' },
        subjects: [{ kind: 'Group', name: 'devs' }],
      },
    });
    assert.equal((await as(other, 'GET', secrets)).status, 200);
    assert.equal((await as(other, 'GET', '/api/v1/namespaces/kube-system/secrets')).status, 403);
    assert.equal((await as(other, 'POST', secrets, { body: {} })).status, 403);
    assert.equal((await as(other, 'GET', '/api/v1/namespaces/default/configmaps/one')).status, 404);
    assert.equal((await as(other, 'GET', '/api/v1/namespaces/default/configmaps/two')).status, 403);
    const review = await as(other, 'POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
      body: { spec: { namespace: 'default' } },
    });
    assert.ok(review.text.includes('"resourceNames":["one"]'));
    await as(admin, 'DELETE', `${rbac}/rolebindings/readers`);
    assert.equal((await as(other, 'GET', secrets)).status, 403);
  });

  it('takes a renewed certificate for new connections', async () => {
    const renewed = await testCertificates();
    fixture.server.renewCertificate(renewed.server);
    await eventually('the new certificate is shown', async () => {
      const reply = await send(fixture.url, 'GET', '/healthz', { tls: { ca: renewed.ca } }).catch(
        () => undefined,
      );
      return reply?.status === 200;
    });
    fixture.server.renewCertificate(certificates.server);
  });
});
