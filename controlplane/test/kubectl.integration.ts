import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { Cluster, template } from './fixture.ts';
import { findKubectls, Kubectl } from './kubectl.ts';

const programs = await findKubectls();

const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: template('web', 'shop:1', { terminationGracePeriodSeconds: 1 }),
  },
};
const CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'pumps.plant.example' },
  spec: {
    group: 'plant.example',
    scope: 'Namespaced',
    names: { plural: 'pumps', singular: 'pump', kind: 'Pump', shortNames: ['pu'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        additionalPrinterColumns: [{ name: 'Litres', type: 'integer', jsonPath: '.spec.litres' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['litres'],
                properties: {
                  litres: { type: 'integer', minimum: 1 },
                  mode: { type: 'string', default: 'slow' },
                },
              },
            },
          },
        },
      },
    ],
  },
};
const pump = (name: string, spec: object): object => ({
  apiVersion: 'plant.example/v1',
  kind: 'Pump',
  metadata: { name },
  spec,
});

describe('kubectl', function () {
  it('is on this machine', function () {
    if (programs.length === 0) this.skip();
  });

  for (const program of programs) {
    describe(program.version, function () {
      this.timeout(60_000);
      let cluster: Cluster;
      let temp: TempDir;
      let kubectl: Kubectl;
      const run = (...args: string[]): Promise<string> => kubectl.run(args);
      const apply = (object: unknown, ...args: string[]): Promise<string> =>
        kubectl.run(['apply', '-f', '-', ...args], object);
      const lines = async (...args: string[]): Promise<string[]> => (await run(...args)).trim().split('\n');

      before(async () => {
        temp = await makeTempDir();
        cluster = await Cluster.start(['n1', 'n2']);
        const kubeconfig = path.join(temp.path, 'config');
        await writeFile(kubeconfig, cluster.plane.kubeconfig, { mode: 0o600 });
        kubectl = new Kubectl(program, kubeconfig, temp.path);
      });
      after(async () => {
        await cluster.stop();
        await temp.remove();
      });

      it('lists resources', async () => {
        const resources = await run('api-resources', '--no-headers');
        assert.match(resources, /deployments +deploy +apps\/v1 +true +Deployment/);
        assert.match(resources, /leases +coordination.k8s.io\/v1/);
        assert.match(await run('version'), /Server Version/);
        assert.equal(await run('get', '--raw', '/readyz'), 'ok');
      });

      it('applies a deployment and sees it through', async () => {
        assert.equal(await apply(DEPLOYMENT), 'deployment.apps/web created\n');
        await run('rollout', 'status', 'deployment/web', '--timeout=20s');
        assert.equal(await apply(DEPLOYMENT), 'deployment.apps/web unchanged\n');
        const changed = { ...DEPLOYMENT, spec: { ...DEPLOYMENT.spec, replicas: 3 } };
        assert.equal(await apply(changed), 'deployment.apps/web configured\n');
        await run('rollout', 'status', 'deployment/web', '--timeout=20s');
        await run('wait', '--for=condition=Available', 'deployment/web', '--timeout=20s');
        assert.match(
          await run('get', 'deploy', 'web', '-o', 'wide'),
          /web +3\/3 +3 +3 +\S+ +main +shop:1 +app=web/,
        );
        const [header = '', ...pods] = await lines('get', 'pods', '-l', 'app=web', '-o', 'wide');
        assert.match(header, /NAME +READY +STATUS +RESTARTS +AGE +IP +NODE/);
        assert.equal(pods.length, 3);
        for (const line of pods) assert.match(line, /web-\S+ +1\/1 +Running +0 +\S+ +10\.244\.\S+ +n[12] /);
      });

      it('reads in every form', async () => {
        assert.equal(
          await run('get', 'deploy', 'web', '-o', 'jsonpath={.spec.replicas}/{.status.readyReplicas}'),
          '3/3',
        );
        assert.match(await run('get', 'deploy', 'web', '-o', 'yaml'), /^kind: Deployment$/m);
        assert.equal((await lines('get', 'pods', '-o', 'name', '--selector', 'app in (web)')).length, 3);
        assert.equal(await run('get', 'pods', '-l', 'app!=web', '-o', 'name'), '');
        const onN1 = await lines('get', 'pods', '--field-selector', 'spec.nodeName=n1', '-o', 'name');
        assert.ok(onN1.length >= 1 && onN1.length <= 2);
        const columns = await run(
          'get',
          'nodes',
          '--sort-by=.metadata.name',
          '-o',
          'custom-columns=N:.metadata.name',
        );
        assert.equal(columns, 'N\nn1\nn2\n');
        const description = await run('describe', 'deployment', 'web');
        assert.match(
          description,
          /Replicas: +3 desired \| 3 updated \| 3 total \| 3 available \| 0 unavailable/,
        );
        assert.match(description, /ScalingReplicaSet/);
        assert.match(await run('describe', 'node', 'n1'), /Non-terminated Pods/);
        const missing = await kubectl.try(['get', 'pod', 'none']);
        assert.equal(missing.code, 1);
        assert.equal(missing.stderr, 'Error from server (NotFound): pods "none" not found\n');
      });

      it('watches', async () => {
        const child = kubectl.start(['get', 'configmaps', '-w', '--no-headers']);
        let seen = '';
        child.stdout?.on('data', (chunk: Buffer) => (seen += chunk.toString('utf8')));
        try {
          await eventually('the list is there', () => seen.includes('kube-root-ca.crt'), {
            deadlineMs: 10_000,
          });
          await run('create', 'configmap', 'watched', '--from-literal=a=1');
          await eventually('the new one is seen', () => /watched +1 /.test(seen), { deadlineMs: 10_000 });
        } finally {
          child.kill();
          await once(child, 'close');
        }
        await run('delete', 'configmap', 'watched');
      });

      it('patches in three ways', async () => {
        await run(
          'patch',
          'deploy',
          'web',
          '--type=json',
          '-p',
          '[{"op":"replace","path":"/spec/replicas","value":2}]',
        );
        await run('patch', 'deploy', 'web', '--type=merge', '-p', '{"metadata":{"labels":{"tier":"front"}}}');
        const containers =
          '{"spec":{"template":{"spec":{"containers":[{"name":"main","env":[{"name":"A","value":"1"}]}]}}}}';
        await run('patch', 'deploy', 'web', '-p', containers);
        const path =
          '{.spec.replicas} {.metadata.labels.tier} {.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env[0].name}';
        assert.equal(await run('get', 'deploy', 'web', '-o', `jsonpath=${path}`), '2 front shop:1 A');
        await run('rollout', 'status', 'deployment/web', '--timeout=20s');
        const bad = await kubectl.try([
          'patch',
          'deploy',
          'web',
          '--type=merge',
          '-p',
          '{"spec":{"replicas":-1}}',
        ]);
        assert.equal(bad.code, 1);
        assert.match(bad.stderr, /spec\.replicas: Invalid value: -1: must be greater than or equal to 0/);
      });

      it('scales, labels, annotates', async () => {
        await run('scale', 'deployment/web', '--replicas=4');
        await run('rollout', 'status', 'deployment/web', '--timeout=20s');
        await run('label', 'deployment', 'web', 'tier=back', '--overwrite');
        await run('annotate', 'deployment', 'web', 'kubernetes.io/change-cause=four');
        const path = '{.status.readyReplicas} {.metadata.labels.tier}';
        assert.equal(await run('get', 'deploy', 'web', '-o', `jsonpath=${path}`), '4 back');
        await run('scale', 'deployment/web', '--replicas=2', '--current-replicas=4');
        await cluster.podsReady('web', 2);
      });

      it('rolls out, shows history, goes back, restarts', async () => {
        const image = async (): Promise<string> =>
          run('get', 'deploy', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}');
        await run('set', 'image', 'deployment/web', 'main=shop:2');
        await run('rollout', 'status', 'deployment/web', '--timeout=20s');
        assert.match(await run('rollout', 'history', 'deployment/web'), /^3 +/m);
        assert.match(await run('rollout', 'history', 'deployment/web', '--revision=1'), /Image:\s+shop:1/);
        await run('rollout', 'undo', 'deployment/web');
        await run('rollout', 'status', 'deployment/web', '--timeout=20s');
        assert.equal(await image(), 'shop:1');
        await run('rollout', 'undo', 'deployment/web', '--to-revision=3');
        await run('rollout', 'status', 'deployment/web', '--timeout=20s');
        assert.equal(await image(), 'shop:2');
        const before = await lines('get', 'pods', '-l', 'app=web', '-o', 'name');
        await run('rollout', 'restart', 'deployment/web');
        await run('rollout', 'status', 'deployment/web', '--timeout=20s');
        const after = (await cluster.podsReady('web', 2)).map(({ metadata }) => `pod/${metadata.name ?? ''}`);
        assert.deepEqual(
          after.filter((name) => before.includes(name)),
          [],
        );
        await run('rollout', 'pause', 'deployment/web');
        await run('set', 'image', 'deployment/web', 'main=shop:9');
        assert.doesNotMatch(await run('get', 'rs', '-o', 'wide'), /shop:9/);
        await run('rollout', 'resume', 'deployment/web');
        await run('rollout', 'status', 'deployment/web', '--timeout=20s');
        assert.match(await run('get', 'rs', '-o', 'wide'), /2 +2 +2 +\S+ +main +shop:9/);
      });

      it('taints, cordons and drains', async () => {
        await run('taint', 'nodes', 'n1', 'dedicated=lab:NoExecute');
        await eventually(
          'n1 is empty',
          async () => (await run('get', 'pods', '--field-selector=spec.nodeName=n1', '-o', 'name')) === '',
          { deadlineMs: 10_000 },
        );
        await cluster.podsReady('web', 2);
        await run('taint', 'nodes', 'n1', 'dedicated-');
        await run('cordon', 'n1');
        assert.match(await run('get', 'node', 'n1'), /Ready,SchedulingDisabled/);
        await run('uncordon', 'n1');
        await run('drain', 'n2', '--ignore-daemonsets', '--timeout=20s');
        await cluster.podsReady('web', 2);
        assert.equal(await run('get', 'pods', '--field-selector=spec.nodeName=n2', '-o', 'name'), '');
        await run('uncordon', 'n2');
      });

      it('deletes in the background, the foreground, and without dependents', async () => {
        await run('delete', 'deployment', 'web', '--cascade=orphan');
        await cluster.podsReady('web', 2);
        assert.notEqual(await run('get', 'rs', '-l', 'app=web', '-o', 'name'), '');
        await run('delete', 'rs', '-l', 'app=web', '--cascade=foreground', '--timeout=20s');
        assert.equal(await run('get', 'rs,pods', '-l', 'app=web', '-o', 'name'), '');
        await run('create', 'deployment', 'back', '--image=x', '--replicas=2');
        await cluster.podsReady('back', 2);
        await run('delete', 'deployment', 'back', '--cascade=background');
        await cluster.podsReady('back', 0);
        await run('create', 'namespace', 'brief');
        await run('-n', 'brief', 'create', 'configmap', 'a');
        await run('delete', 'namespace', 'brief', '--timeout=20s');
        assert.equal((await kubectl.try(['get', 'namespace', 'brief'])).code, 1);
      });

      it('works with custom resources', async () => {
        await apply(CRD);
        await run('wait', '--for=condition=Established', 'crd/pumps.plant.example', '--timeout=10s');
        await apply(pump('one', { litres: 7 }));
        assert.match(await run('get', 'pumps'), /NAME +LITRES\none +7/);
        assert.equal(await run('get', 'pu', 'one', '-o', 'jsonpath={.spec.mode}'), 'slow');
        await apply(pump('one', { litres: 8 }));
        assert.equal(await run('get', 'pump', 'one', '-o', 'jsonpath={.spec.litres}'), '8');
        for (const [spec, complaint] of [
          [{ litres: 0 }, /spec\.litres/],
          [{ litres: 'much' }, /litres/],
          [{}, /litres/],
        ] as const) {
          const { code, stderr } = await kubectl.try(['apply', '-f', '-'], pump('bad', spec));
          assert.equal(code, 1);
          assert.match(stderr, complaint);
        }
        await run('delete', 'pump', 'one');
        await run('delete', 'crd', 'pumps.plant.example', '--timeout=10s');
        assert.equal((await kubectl.try(['get', 'pumps'])).code, 1);
      });
    });
  }
});
