import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { AdmissionPlugin } from '../../src/server/admission/admission.ts';
import { namespaceLifecycle } from '../../src/server/admission/namespace-lifecycle.ts';
import { defaultTolerationSeconds, podPriority } from '../../src/server/admission/pod-defaults.ts';
import { serviceAccountAdmission } from '../../src/server/admission/service-account.ts';
import { privilegedGroupAuthorizer, unionAuthorizer } from '../../src/server/auth/authorizer.ts';
import { RbacAuthorizer } from '../../src/server/auth/rbac-authorizer.ts';
import { RbacEscalation } from '../../src/server/auth/rbac-escalation.ts';
import { MASTERS, userInfo } from '../../src/server/auth/user.ts';
import type { ConnectHandler } from '../../src/server/http/connect.ts';
import { MemoryStore } from '../../src/store/memory-store.ts';
import { startKubeFixture, type KubeFixture } from '../../testing/kube-fixture.ts';
import { send, type Reply } from './http.ts';

const PODS = '/api/v1/namespaces/default/pods';
const SPEC = { containers: [{ name: 'a', image: 'b' }] };
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

describe('server: admission plug-ins and proxied subresources', () => {
  let fixture: KubeFixture;
  let seen: string[];

  const connectHandler: ConnectHandler = {
    async request(context, object, subresource) {
      seen.push(`${subresource} ${object.metadata.name ?? ''} ${context.query.get('container') ?? ''}`);
      await context.respond.text(200, 'a line\n');
    },
    upgrade({ socket, request }, object, subresource) {
      seen.push(`${subresource} ${object.metadata.name ?? ''} ${request.headers.upgrade ?? ''}`);
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nhello');
      return Promise.resolve();
    },
  };

  before(async () => {
    seen = [];
    const store = new MemoryStore();
    const rbac = new RbacAuthorizer(store);
    const authorizer = unionAuthorizer([privilegedGroupAuthorizer(MASTERS), rbac]);
    const plugins: AdmissionPlugin[] = [
      namespaceLifecycle(store),
      serviceAccountAdmission(store),
      podPriority(store),
      defaultTolerationSeconds({ seconds: 7 }),
      new RbacEscalation(store, rbac, authorizer),
    ];
    fixture = await startKubeFixture({
      store,
      server: {
        plugins,
        authorizer,
        connect: connectHandler,
        authenticators: [
          {
            authenticate({ headers }) {
              const user = headers['x-user'];
              return user === undefined ? userInfo('root', [MASTERS]) : userInfo(String(user));
            },
          },
        ],
      },
    });
    await send(fixture.url, 'POST', '/api/v1/namespaces/default/serviceaccounts', {
      body: { metadata: { name: 'default' }, imagePullSecrets: [{ name: 'pull' }] },
    });
  });
  after(() => fixture.stop());

  const post = (path: string, body: object, user?: string): Promise<Reply> =>
    send(fixture.url, 'POST', path, { body, headers: user === undefined ? {} : { 'x-user': user } });

  it('gives pods their priority by class, by name or by default', async () => {
    const classes = '/apis/scheduling.k8s.io/v1/priorityclasses';
    await post(classes, { metadata: { name: 'high' }, value: 1000, preemptionPolicy: 'Never' });
    await post(classes, { metadata: { name: 'usual' }, value: 5, globalDefault: true });
    const named = await post(PODS, {
      metadata: { name: 'p1' },
      spec: { ...SPEC, priorityClassName: 'high' },
    });
    const { priority, preemptionPolicy } = named.body['spec'] as Record<string, unknown>;
    assert.deepEqual([priority, preemptionPolicy], [1000, 'Never']);
    const usual = await post(PODS, { metadata: { name: 'p2' }, spec: SPEC });
    const spec = usual.body['spec'] as Record<string, unknown>;
    assert.deepEqual([spec['priority'], spec['priorityClassName']], [5, 'usual']);
    const system = await post(PODS, {
      metadata: { name: 'p3' },
      spec: { ...SPEC, priorityClassName: 'system-node-critical' },
    });
    assert.equal((system.body['spec'] as Record<string, unknown>)['priority'], 2_000_001_000);
    const unknown = await post(PODS, {
      metadata: { name: 'p4' },
      spec: { ...SPEC, priorityClassName: 'nope' },
    });
    assert.equal(unknown.status, 403);
    assert.match(String(unknown.body['message']), /no PriorityClass with name nope was found/);
  });

  it('mounts the account token unless pod or account say no, and hands on pull secrets', async () => {
    const mounted = await post(PODS, { metadata: { name: 'm1' }, spec: SPEC });
    assert.ok(mounted.text.includes('kube-api-access-'));
    assert.ok(mounted.text.includes('"imagePullSecrets":[{"name":"pull"}]'));
    assert.ok(mounted.text.includes('"tolerationSeconds":7'));
    const plain = await post(PODS, {
      metadata: { name: 'm2' },
      spec: { ...SPEC, automountServiceAccountToken: false },
    });
    assert.ok(!plain.text.includes('kube-api-access-'));
  });

  it('keeps the three namespaces of the system', async () => {
    for (const name of ['default', 'kube-system', 'kube-public']) {
      const reply = await send(fixture.url, 'DELETE', `/api/v1/namespaces/${name}`);
      assert.equal(reply.status, 403);
    }
  });

  it('lets nobody grant what he does not have', async () => {
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] }];
    await post(`${RBAC}/clusterroles`, {
      metadata: { name: 'granter' },
      rules: [
        ...rules,
        {
          apiGroups: ['rbac.authorization.k8s.io'],
          resources: ['*'],
          verbs: ['create', 'update', 'patch', 'get'],
        },
      ],
    });
    await post(`${RBAC}/clusterrolebindings`, {
      metadata: { name: 'granters' },
      roleRef: { kind: 'ClusterRole', name: 'granter' },
      subjects: [{ kind: 'User', name: 'greta' }],
    });
    await post(`${RBAC}/clusterroles`, {
      metadata: { name: 'all' },
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
    });
    const roles = `${RBAC}/namespaces/default/roles`;
    const bindings = `${RBAC}/namespaces/default/rolebindings`;
    assert.equal((await post(roles, { metadata: { name: 'held' }, rules }, 'greta')).status, 201);
    const more = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }];
    const refused = await post(roles, { metadata: { name: 'more' }, rules: more }, 'greta');
    assert.equal(refused.status, 403);
    assert.match(
      String(refused.body['message']),
      /user "greta" .* is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["secrets"\], Verbs:\["get"\]\}/,
    );
    const bind = (name: string): object => ({
      metadata: { name },
      roleRef: { kind: 'ClusterRole', name },
      subjects: [{ kind: 'User', name: 'greta' }],
    });
    assert.equal((await post(bindings, bind('all'), 'greta')).status, 403);
    assert.equal((await post(bindings, bind('granter'), 'greta')).status, 201);
    await post(`${RBAC}/clusterroles`, {
      metadata: { name: 'binder' },
      rules: [
        {
          apiGroups: ['rbac.authorization.k8s.io'],
          resources: ['clusterroles'],
          resourceNames: ['all'],
          verbs: ['bind'],
        },
      ],
    });
    await post(`${RBAC}/clusterrolebindings`, {
      metadata: { name: 'binders' },
      roleRef: { kind: 'ClusterRole', name: 'binder' },
      subjects: [{ kind: 'User', name: 'greta' }],
    });
    assert.equal((await post(bindings, bind('all'), 'greta')).status, 201);
  });

  it('hands logs, exec and the like to who knows the way, after authorization', async () => {
    await post(PODS, { metadata: { name: 'x' }, spec: SPEC });
    const log = await send(fixture.url, 'GET', `${PODS}/x/log?container=a`);
    assert.equal(log.text, 'a line\n');
    const refused = await send(fixture.url, 'GET', `${PODS}/x/log`, { headers: { 'x-user': 'nobody' } });
    assert.equal(refused.status, 403);
    assert.deepEqual(seen, ['log x a']);
    const upgrade = async (path: string, header = ''): Promise<string> => {
      const socket = connect(new URL(fixture.url).port as unknown as AddressInfo['port'], '127.0.0.1');
      let answer = '';
      socket.setEncoding('latin1').on('data', (data: string) => (answer += data));
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n${header}\r\n`,
      );
      await once(socket, 'close');
      return answer;
    };
    assert.match(await upgrade(`${PODS}/x/exec?command=ls`), /^HTTP\/1\.1 101 [^]*hello$/);
    assert.match(await upgrade(`${PODS}/x/exec`, 'x-user: nobody\r\n'), /^HTTP\/1\.1 403 /);
    assert.match(await upgrade(`${PODS}/none/exec`), /^HTTP\/1\.1 404 /);
    assert.match(await upgrade('/api/v1/nodes'), /^HTTP\/1\.1 404 /);
    assert.deepEqual(seen, ['log x a', 'exec x test']);
  });
});
