import assert from 'node:assert/strict';
import { HttpApiClient, ResourceClient, StatusError, staticCredentials, type KubeObject } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { API } from '../src/api/resources.ts';
import { Cluster, deployment, isReady, nodeOf, template } from './fixture.ts';

const LONG = { deadlineMs: 10_000, intervalMs: 25 };

describe('control plane in process', function () {
  this.timeout(30_000);
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.start(['n1', 'n2']);
  });
  after(() => cluster.stop());

  it('gives each namespace a service account and the CA, and brings them back', async () => {
    const ca = cluster.plane.ca;
    for (const name of ['default', 'kube-system']) {
      await eventually('the defaults are there', async () => {
        const map = await cluster.find(API.configmaps, name, 'kube-root-ca.crt');
        const account = await cluster.find(API.serviceaccounts, name, 'default');
        return (
          account !== undefined && (map?.['data'] as Record<string, string> | undefined)?.['ca.crt'] === ca
        );
      });
    }
    const before = await cluster.find(API.serviceaccounts, 'default', 'default');
    await cluster.of(API.serviceaccounts).delete('default', 'default');
    await cluster
      .of(API.configmaps)
      .patch('default', 'kube-root-ca.crt', 'merge', { data: { 'ca.crt': 'other' } });
    await eventually('the defaults are back', async () => {
      const account = await cluster.find(API.serviceaccounts, 'default', 'default');
      const map = await cluster.find(API.configmaps, 'default', 'kube-root-ca.crt');
      const fresh = account !== undefined && account.metadata.uid !== before?.metadata.uid;
      return fresh && (map?.['data'] as Record<string, string>)['ca.crt'] === ca;
    });
  });

  it('publishes what tokens are checked with', async () => {
    const get = async (path: string): Promise<Record<string, unknown>> =>
      (await cluster.plane.client.request({ method: 'GET', path })) as Record<string, unknown>;
    const discovery = await get('/.well-known/openid-configuration');
    assert.equal(discovery['issuer'], 'https://kubernetes.default.svc.cluster.local');
    assert.match(String(discovery['jwks_uri']), /^https:.*\/openid\/v1\/jwks$/);
    const [key] = (await get('/openid/v1/jwks'))['keys'] as Record<string, unknown>[];
    assert.deepEqual(
      [key?.['kty'], key?.['crv'], key?.['alg'], key?.['use']],
      ['EC', 'P-256', 'ES256', 'sig'],
    );
    assert.equal(key?.['d'], undefined);
  });

  it('runs a deployment, spread over the nodes, and mounts a token into its pods', async () => {
    await cluster.create(API.deployments, deployment('web', 4));
    const pods = await cluster.podsReady('web', 4);
    assert.deepEqual(pods.map(nodeOf).sort(), ['n1', 'n1', 'n2', 'n2']);
    const spec = pods[0]?.['spec'] as Record<string, unknown[]>;
    assert.equal(spec['serviceAccountName'], 'default');
    assert.match(
      JSON.stringify(spec['volumes']),
      /kube-api-access-.{5}.*serviceAccountToken.*kube-root-ca\.crt/,
    );
    assert.match(JSON.stringify(spec['tolerations']), /not-ready.*300.*unreachable.*300/);
    await cluster.of(API.deployments).delete('default', 'web', { propagationPolicy: 'Background' });
    await cluster.podsReady('web', 0);
    await eventually('its sets are gone', async () => (await cluster.list(API.replicasets)).length === 0);
  });

  it('updates without ever having too few or too many pods', async () => {
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    await cluster.create(API.deployments, deployment('roll', 3, 'a', { strategy }));
    await cluster.podsReady('roll', 3);
    await cluster
      .of(API.deployments)
      .patch('default', 'roll', 'merge', { spec: { template: template('roll', 'b') } });
    let most = 0;
    let fewest = 3;
    await eventually(
      'the update is done',
      async () => {
        const pods = (await cluster.list(API.pods, 'default', 'app=roll')).filter(
          ({ metadata }) => metadata.deletionTimestamp === undefined,
        );
        most = Math.max(most, pods.length);
        fewest = Math.min(fewest, pods.filter(isReady).length);
        const images = pods.map((pod) => JSON.stringify(pod['spec']).includes('"image":"b"'));
        return pods.length === 3 && images.every(Boolean) && pods.every(isReady);
      },
      { deadlineMs: 10_000, intervalMs: 5 },
    );
    assert.ok(most <= 4 && fewest >= 3, `${most} at most, ${fewest} ready at least`);
    const sets = await cluster.list(API.replicasets, 'default', 'app=roll');
    const revisions = sets.map(({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision']);
    assert.deepEqual(revisions.sort(), ['1', '2']);
    await cluster.of(API.deployments).delete('default', 'roll', { propagationPolicy: 'Foreground' });
    await eventually(
      'all of it is gone',
      async () => {
        const rest = [
          await cluster.find(API.deployments, 'default', 'roll'),
          ...(await cluster.list(API.replicasets)),
        ];
        return rest.every((object) => object === undefined);
      },
      LONG,
    );
    assert.equal((await cluster.list(API.pods, 'default', 'app=roll')).length, 0);
  });

  it('with Recreate, never has pods of two templates', async () => {
    await cluster.create(API.deployments, deployment('re', 2, 'a', { strategy: { type: 'Recreate' } }));
    await cluster.podsReady('re', 2);
    await cluster
      .of(API.deployments)
      .patch('default', 're', 'merge', { spec: { template: template('re', 'b') } });
    let mixed = false;
    await eventually(
      'the update is done',
      async () => {
        const images = new Set(
          (await cluster.list(API.pods, 'default', 'app=re')).map((pod) =>
            JSON.stringify(pod['spec']).includes('"image":"b"'),
          ),
        );
        mixed ||= images.size > 1;
        return images.size === 1 && images.has(true);
      },
      { deadlineMs: 10_000, intervalMs: 5 },
    );
    assert.equal(mixed, false);
    await cluster.podsReady('re', 2);
    await cluster.of(API.deployments).delete('default', 're', { propagationPolicy: 'Orphan' });
    await eventually(
      'the deployment is gone',
      async () => (await cluster.find(API.deployments, 'default', 're')) === undefined,
    );
    const sets = await cluster.list(API.replicasets, 'default', 'app=re');
    assert.equal(sets.length, 2);
    assert.deepEqual(
      sets.map(({ metadata }) => metadata.ownerReferences),
      [undefined, undefined],
    );
    await cluster.podsReady('re', 2);
    // A deployment of the same selector takes them over, and makes nothing new.
    await cluster.create(API.deployments, deployment('re', 2, 'b', { strategy: { type: 'Recreate' } }));
    await eventually('the sets are adopted', async () => {
      const now = await cluster.list(API.replicasets, 'default', 'app=re');
      return now.length === 2 && now.every(({ metadata }) => metadata.ownerReferences?.[0]?.name === 're');
    });
    await cluster.of(API.deployments).delete('default', 're', { propagationPolicy: 'Background' });
    await cluster.podsReady('re', 0);
  });

  it('releases a pod whose label changes, and replaces it', async () => {
    await cluster.create(API.deployments, deployment('rel', 1));
    const [pod] = await cluster.podsReady('rel', 1);
    await cluster
      .of(API.pods)
      .patch('default', pod?.metadata.name ?? '', 'merge', { metadata: { labels: { app: 'free' } } });
    await cluster.podsReady('rel', 1);
    await eventually('the pod is nobody’s', async () => {
      const [free] = await cluster.list(API.pods, 'default', 'app=free');
      return free !== undefined && free.metadata.ownerReferences === undefined;
    });
    await cluster.of(API.pods).delete('default', pod?.metadata.name ?? '');
    await cluster.of(API.deployments).delete('default', 'rel', { propagationPolicy: 'Background' });
    await cluster.podsReady('rel', 0);
  });

  it('says why a pod finds no node, and gives it one when there is room', async () => {
    const spec = {
      containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '3' } } }],
      nodeSelector: { big: 'yes' },
    };
    await cluster.create(API.pods, {
      kind: 'Pod',
      metadata: { name: 'big', namespace: 'default', labels: { app: 'big' } },
      spec,
    });
    const message = "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.";
    await eventually('the pod says so', async () => {
      const pod = await cluster.find(API.pods, 'default', 'big');
      return JSON.stringify(pod?.['status']).includes(JSON.stringify(message));
    });
    await eventually('an event says so', async () => {
      const events = await cluster.list(API.events);
      return events.some((event) => event['reason'] === 'FailedScheduling' && event['message'] === message);
    });
    await cluster.of(API.nodes).patch('', 'n2', 'merge', { metadata: { labels: { big: 'yes' } } });
    const [pod] = await cluster.podsReady('big', 1);
    assert.equal(pod && nodeOf(pod), 'n2');
    await cluster.of(API.pods).delete('default', 'big');
  });

  it('runs one pod of a daemon set on each node, also on new ones, and rolls it out', async () => {
    const set = {
      kind: 'DaemonSet',
      metadata: { name: 'agent', namespace: 'default' },
      spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent') },
    };
    await cluster.create(API.daemonsets, set);
    await cluster.podsReady('agent', 2);
    const n3 = await cluster.addNode('n3');
    assert.deepEqual((await cluster.podsReady('agent', 3)).map(nodeOf).sort(), ['n1', 'n2', 'n3']);
    await cluster
      .of(API.daemonsets)
      .patch('default', 'agent', 'merge', { spec: { template: template('agent', 'b') } });
    await eventually(
      'all are new',
      async () => {
        const pods = await cluster.list(API.pods, 'default', 'app=agent');
        return (
          pods.length === 3 &&
          pods.every((pod) => isReady(pod) && JSON.stringify(pod['spec']).includes('"image":"b"'))
        );
      },
      LONG,
    );
    await eventually('its status says so', async () => {
      const found = await cluster.find(API.daemonsets, 'default', 'agent');
      const status = found?.['status'] as Record<string, number>;
      return status['updatedNumberScheduled'] === 3 && status['numberAvailable'] === 3;
    });
    const history = await cluster.list(API.controllerrevisions);
    assert.deepEqual(history.map((revision) => revision['revision']).sort(), [1, 2]);
    await cluster.of(API.daemonsets).delete('default', 'agent', { propagationPolicy: 'Background' });
    await cluster.podsReady('agent', 0);
    await n3.stop();
    await cluster.of(API.nodes).delete('', 'n3');
  });

  it('leads a service to the pods that are ready', async () => {
    const ports = [{ name: 'web', containerPort: 8080 }];
    const containers = [{ name: 'main', image: 'a', ports }];
    await cluster.create(
      API.deployments,
      deployment('shop', 2, 'a', { template: template('shop', 'a', { containers }) }),
    );
    const spec = { selector: { app: 'shop' }, ports: [{ port: 80, targetPort: 'web' }] };
    await cluster.create(API.services, {
      kind: 'Service',
      metadata: { name: 'shop', namespace: 'default' },
      spec,
    });
    const pods = await cluster.podsReady('shop', 2);
    const ips = pods.map((pod) => (pod['status'] as { podIP: string }).podIP).sort();
    const served = async (): Promise<string[]> => {
      const [slice] = await cluster.list(API.endpointslices, 'default', 'kubernetes.io/service-name=shop');
      if (JSON.stringify(slice?.['ports']) !== '[{"name":"","port":8080,"protocol":"TCP"}]') return [];
      const endpoints = slice?.['endpoints'] as { addresses: string[]; conditions: { ready: boolean } }[];
      return endpoints
        .filter(({ conditions }) => conditions.ready)
        .flatMap(({ addresses }) => addresses)
        .sort();
    };
    await eventually('both serve', async () => (await served()).join() === ips.join());
    const endpoints = await cluster.find(API.endpoints, 'default', 'shop');
    const [subset] = endpoints?.['subsets'] as { addresses: { ip: string }[]; ports: object[] }[];
    assert.deepEqual(subset?.addresses.map(({ ip }) => ip).sort(), ips);
    assert.deepEqual(subset.ports, [{ port: 8080, protocol: 'TCP' }]);
    await cluster.of(API.deployments).patch('default', 'shop', 'merge', { spec: { replicas: 0 } });
    await eventually('nobody serves', async () => (await served()).length === 0);
    await cluster.of(API.services).delete('default', 'shop');
    await eventually('nothing is left', async () => {
      const slices = await cluster.list(API.endpointslices, 'default', 'kubernetes.io/service-name=shop');
      return slices.length === 0 && (await cluster.find(API.endpoints, 'default', 'shop')) === undefined;
    });
    await cluster.of(API.deployments).delete('default', 'shop', { propagationPolicy: 'Background' });
  });

  it('runs a job until enough pods have succeeded', async () => {
    const spec = {
      completions: 2,
      parallelism: 1,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } },
    };
    await cluster.create(API.jobs, { kind: 'Job', metadata: { name: 'sum', namespace: 'default' }, spec });
    const finish = async (): Promise<void> => {
      let running: KubeObject | undefined;
      await eventually('a pod runs', async () => {
        running = (await cluster.list(API.pods, 'default', 'job-name=sum')).find(isReady);
        return running !== undefined;
      });
      const status = { phase: 'Succeeded', conditions: [{ type: 'Ready', status: 'False' }] };
      await cluster
        .of(API.pods)
        .patch('default', running?.metadata.name ?? '', 'strategic', { status }, { subresource: 'status' });
    };
    await finish();
    await finish();
    await eventually('the job is complete', async () => {
      const { status } = await cluster.of(API.jobs).get('default', 'sum');
      const { succeeded, conditions = [] } = status as {
        succeeded?: number;
        conditions?: { type: string }[];
      };
      return succeeded === 2 && conditions.some(({ type }) => type === 'Complete');
    });
    assert.equal((await cluster.list(API.pods, 'default', 'job-name=sum')).length, 2);
    await cluster.of(API.jobs).delete('default', 'sum', { propagationPolicy: 'Background' });
    await eventually(
      'its pods are gone',
      async () => (await cluster.list(API.pods, 'default', 'job-name=sum')).length === 0,
    );
  });

  it('collects an object of any kind whose owner is gone or never was, but not across namespaces and unknown kinds', async () => {
    const map = (name: string, uid: string, kind: string, apiVersion = 'v1'): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'default', ownerReferences: [{ apiVersion, kind, name: 'owner', uid }] },
    });
    const owner = await cluster.create(API.secrets, {
      kind: 'Secret',
      metadata: { name: 'owner', namespace: 'default' },
    });
    await cluster.create(API.configmaps, map('mine', owner.metadata.uid ?? '', 'Secret'));
    await cluster.create(API.configmaps, map('stranger', 'wrong-uid', 'Secret'));
    await cluster.create(API.configmaps, map('unknown', 'x', 'Widget', 'example.com/v1'));
    const names = async (): Promise<(string | undefined)[]> =>
      (await cluster.list(API.configmaps)).map(({ metadata }) => metadata.name).sort();
    await eventually('the stranger is collected', async () => !(await names()).includes('stranger'));
    assert.deepEqual(await names(), ['kube-root-ca.crt', 'mine', 'unknown']);
    await cluster.of(API.secrets).delete('default', 'owner');
    await eventually('the dependent is collected', async () => !(await names()).includes('mine'));
    assert.deepEqual(await names(), ['kube-root-ca.crt', 'unknown']);
    await cluster.of(API.configmaps).delete('default', 'unknown');
  });

  it('empties a namespace before it goes, waits for finalizers, and takes nothing new', async () => {
    const names = { namespace: 'doomed' };
    await cluster.create(API.namespaces, { kind: 'Namespace', metadata: { name: 'doomed' } });
    await eventually(
      'the account is there',
      async () => (await cluster.find(API.serviceaccounts, 'doomed', 'default')) !== undefined,
    );
    const finalizers = ['example.com/hold'];
    await cluster.create(API.configmaps, {
      kind: 'ConfigMap',
      metadata: { ...names, name: 'held', finalizers },
    });
    await cluster.create(API.deployments, { ...deployment('web', 2), metadata: { ...names, name: 'web' } });
    await cluster.of(API.namespaces).delete('', 'doomed');
    await eventually(
      'it says what it waits for',
      async () => {
        const found = await cluster.find(API.namespaces, '', 'doomed');
        return JSON.stringify(found?.['status']).includes('example.com/hold in 1 resource instances');
      },
      LONG,
    );
    await assert.rejects(
      cluster.create(API.configmaps, { kind: 'ConfigMap', metadata: { ...names, name: 'late' } }),
      (error) => error instanceof StatusError && error.status.code === 403,
    );
    await cluster.of(API.configmaps).patch('doomed', 'held', 'merge', { metadata: { finalizers: null } });
    await eventually(
      'it is gone',
      async () => (await cluster.find(API.namespaces, '', 'doomed')) === undefined,
      LONG,
    );
    assert.deepEqual(await cluster.list(API.pods, 'doomed'), []);
  });

  it('lets a service account do what its roles say, and a node what concerns it', async () => {
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { namespace: 'default', name: 'default' },
      spec: {},
    };
    const answer = await cluster.of(API.serviceaccounts).create(request, { subresource: 'token' });
    const { token } = answer['status'] as { token: string };
    const client = new HttpApiClient({
      server: cluster.plane.url,
      credentials: staticCredentials({ token, tls: { ca: cluster.plane.ca } }),
    });
    try {
      const pods = new ResourceClient(client, API.pods);
      await assert.rejects(
        pods.list('default'),
        (error) => error instanceof StatusError && error.status.code === 403,
      );
      const binding = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { namespace: 'default', name: 'viewer' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }],
      };
      const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings';
      await cluster.plane.client.request({ method: 'POST', path, body: binding });
      assert.ok(Array.isArray((await pods.list('default')).items));
      await assert.rejects(
        pods.delete('default', 'x'),
        (error) => error instanceof StatusError && error.status.code === 403,
      );
    } finally {
      client.close();
    }
  });
});
