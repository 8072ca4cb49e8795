import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { checkConfig } from '@hawser/cloudcore';
import type { KubeObject } from '@hawser/kube';
import { parse } from 'yaml';
import { configOf, only, podOf } from './chart-objects.ts';
import {
  chartDir,
  helm,
  needHelm,
  objectsIn,
  objectsOf,
  objectsWith,
  plainManifests,
  renderChart,
  ROOT,
  valuesFiles,
} from './helm.ts';
import { typeProblems } from './kubernetes-types.ts';

const RBAC = ['ServiceAccount', 'ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'];

// Helm is a real one, 3.8.1. HAWSER_HELM=/path/to/helm tries the chart with another: the same objects came of 4.1.4.
describe('the chart', function () {
  this.timeout(60_000);

  let files: readonly string[];
  let least: readonly KubeObject[];
  let full: readonly KubeObject[];
  let balanced: readonly KubeObject[];
  before(async function () {
    needHelm(this);
    files = await valuesFiles();
    const named = (name: string): Promise<readonly KubeObject[]> =>
      objectsWith(path.join(chartDir, 'ci', `${name}-values.yaml`));
    least = await named('default');
    full = await named('full');
    balanced = await named('load-balancer');
  });

  it('has nothing that Helm complains of', async () => {
    for (const file of files) {
      const args = ['lint', '--strict', chartDir, '--namespace', 'hawser-system', '--values', file];
      assert.match(await helm(args), /1 chart\(s\) linted, 0 chart\(s\) failed/);
    }
  });

  it('makes objects as Kubernetes has them, field by field, and would be found out', async () => {
    const text = JSON.stringify(only(least, 'Deployment'));
    const wrong = (name: string, from: string, to: string): KubeObject => {
      assert.ok(text.includes(from), from);
      const object = JSON.parse(text.replace(from, to)) as KubeObject;
      return { ...object, metadata: { ...object.metadata, name } };
    };
    const problems = typeProblems([
      ...[...least, ...full, ...balanced, ...(await objectsOf('packaging/manifests/hawser.yaml'))],
      wrong('unknown', 'readOnlyRootFilesystem', 'readOnlyRootFileSystem'),
      wrong('text', '"minReadySeconds":10', '"minReadySeconds":"10"'),
      wrong('missing', '"name":"cloudcore",', ''),
    ]);
    assert.equal(problems.length, 3, problems.join('\n'));
    const [unknown = '', type = '', missing = ''] = problems;
    assert.match(unknown, /^Deployment unknown: .*readOnlyRootFileSystem/);
    assert.match(type, /^Deployment text: Type 'string' is not assignable to type 'number'/);
    assert.match(missing, /^Deployment missing: .*'name'+ is missing .* required in type 'V1Container'/);
  });

  it('tells cloudcore what it takes, and what the values say', () => {
    for (const objects of [least, full, balanced]) checkConfig(parse(configOf(objects)), 'the chart');
    const config = checkConfig(parse(configOf(full)), 'the chart');
    assert.deepEqual(config.advertise, ['hub.example.org', '192.0.2.7', '2001:db8::7']);
    assert.deepEqual(config.listen, {
      ...{ host: '::', websocketPort: 10_000 },
      ...{ quicPort: 10_001, webTransportPort: 10_003 },
    });
    assert.deepEqual(config.operations, { host: '::', port: 10_002 });
    assert.deepEqual(config.drain, { notReadySeconds: 2, sessionsSeconds: 600 });
    assert.equal(config.kubelet.enabled, false);
    assert.equal(config.uploads.url, 'https://uploads.example.org/');
    const { listen } = checkConfig(parse(configOf(least)), 'the chart');
    assert.deepEqual([listen.quicPort, listen.webTransportPort], [null, null]);
  });

  it('keeps ports and addresses its own, whatever `config` says', async () => {
    const objects = objectsIn(
      await renderChart([
        ...['--set', 'advertise={hub.example.org}'],
        ...['--set', 'config.listen.websocketPort=1,config.operations.port=2,config.kubelet.maxStreams=7'],
      ]),
    );
    const config = checkConfig(parse(configOf(objects)), 'the chart');
    assert.equal(config.listen.websocketPort, 10_000);
    assert.equal(config.operations.port, 10_002);
    assert.equal(config.kubelet.maxStreams, 7);
  });

  it('has names that fit together', () => {
    for (const objects of [least, full, balanced]) {
      const { metadata, spec } = podOf(objects);
      const [container] = spec.containers;
      const isChosen = (labels: Readonly<Record<string, string>>): boolean =>
        Object.entries(labels).every(([name, value]) => metadata.labels[name] === value);
      const service = only(objects, 'Service')['spec'] as {
        readonly selector: Record<string, string>;
        readonly ports: readonly ServicePort[];
      };
      assert.ok(isChosen(service.selector));
      const open = container.ports.map(({ name, protocol }) => `${name}/${protocol}`);
      for (const { targetPort, protocol } of service.ports)
        assert.ok(open.includes(`${targetPort}/${protocol}`));
      for (const kind of ['PodDisruptionBudget', 'NetworkPolicy']) {
        const [object] = objects.filter((each) => each.kind === kind);
        if (object === undefined) continue;
        const { selector, podSelector = selector } = object['spec'] as Readonly<
          Record<string, { readonly matchLabels: Record<string, string> }>
        >;
        assert.ok(isChosen(podSelector?.matchLabels ?? { none: 'such' }), kind);
      }
      for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe])
        assert.equal(probe.httpGet.port, 'operations');
      const volumes = spec.volumes.map(({ name }) => name);
      for (const { name } of container.volumeMounts) assert.ok(volumes.includes(name), name);
      assert.ok(spec.volumes.some(({ configMap }) => configMap?.name === 'hawser-cloudcore'));
      assert.equal(spec.serviceAccountName, 'hawser-cloudcore');
      // Of the file that it reads.
      const { drain } = checkConfig(parse(configOf(objects)), 'the chart');
      assert.ok(spec.terminationGracePeriodSeconds >= drain.notReadySeconds + drain.sessionsSeconds + 20);
    }
    assert.deepEqual(
      podOf(least).spec.containers[0].ports.map(({ containerPort }) => containerPort),
      [10_000, 10_002],
    );
    assert.deepEqual(
      podOf(full).spec.containers[0].ports.map(({ containerPort }) => containerPort),
      [10_000, 10_001, 10_002, 10_003],
    );
  });

  it('opens ports for edges where they are asked for, in Service and policy alike', () => {
    const ofService = (objects: readonly KubeObject[]): readonly ServicePort[] =>
      (only(objects, 'Service')['spec'] as { readonly ports: readonly ServicePort[] }).ports;
    const numbers = (objects: readonly KubeObject[]): readonly (readonly [number, number | undefined])[] =>
      ofService(objects).map(({ port, nodePort }) => [port, nodePort]);
    assert.deepEqual(numbers(least), [[10_000, undefined]]);
    assert.deepEqual(numbers(balanced), [
      [10_000, undefined],
      [10_001, undefined],
      [443, undefined],
    ]);
    assert.deepEqual(numbers(full), [
      [10_000, 30_100],
      [10_001, 30_101],
      [10_003, 30_103],
    ]);
    for (const objects of [least, full]) {
      const { ingress } = only(objects, 'NetworkPolicy')['spec'] as {
        readonly ingress: readonly { readonly ports: readonly object[] }[];
      };
      const open = ofService(objects).map(({ targetPort, protocol }) => ({ port: targetPort, protocol }));
      assert.deepEqual(ingress[0]?.ports, open);
    }
  });

  it('asks for no right of the machine', () => {
    const { securityContext, containers } = podOf(least).spec;
    assert.deepEqual(securityContext, {
      ...{ runAsNonRoot: true, runAsUser: 65_532, runAsGroup: 65_532 },
      seccompProfile: { type: 'RuntimeDefault' },
    });
    assert.deepEqual(containers[0].securityContext, {
      ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
      capabilities: { drop: ['ALL'] },
    });
  });

  it('gives cloudcore the rights of packaging/rbac, or none where they are there', async () => {
    const rights = (objects: readonly KubeObject[]): KubeObject[] =>
      objects.filter(({ kind }) => RBAC.includes(kind)).sort(byNames);
    const wanted = [...(await objectsOf('packaging/rbac/cloudcore.yaml'))].sort(byNames);
    assert.ok(wanted.length >= 7);
    assert.deepEqual(rights(least), wanted);
    assert.deepEqual(rights(full), []);
  });

  it('refuses what cannot work, and says why', async () => {
    const named = ['--set', 'advertise={hub.example.org}'];
    const template = ['template', 'hawser', chartDir, '--kube-version', '1.30.0'];
    await assert.rejects(helm([...template, ...named]), /lives in the namespace hawser-system/);
    await assert.rejects(renderChart([]), /advertise is empty: say under which name/);
    for (const [set, problem] of [
      // Releases of Helm have words of their own.
      ['replicas=0', /replicas.*(than or equal to 1|minimum)/],
      ['servce.type=NodePort', /servce.* (not allowed|additional)|additional.*servce/i],
      ['service.type=Ingress', /service.type/],
      ['image.digest=latest', /image.digest/],
      ['priorityClass.create=true,priorityClassName=mine', /exclude each other/],
    ] as const)
      await assert.rejects(renderChart([...named, '--set', set]), problem, set);
    await assert.rejects(renderChart(['--set', 'advertise={https://hub}']), /advertise.0/);
  });

  it('says of every value what it may be, and has a default for each', async () => {
    const schema = JSON.parse(await readFile(path.join(chartDir, 'values.schema.json'), 'utf8')) as Schema;
    const values = parse(await readFile(path.join(chartDir, 'values.yaml'), 'utf8')) as Values;
    const { global, ...properties } = schema.properties ?? {};
    assert.ok(global, 'charts above this one may set it');
    assert.deepEqual(namesIn(values, { properties }), namesOf({ properties }));
  });

  it('is the same as the plain manifests', async () => {
    const file = path.join(ROOT, 'packaging/manifests/hawser.yaml');
    const advice = 'run `npm run manifests`, and commit the result';
    assert.equal(await readFile(file, 'utf8'), await plainManifests(), advice);
  });
});

interface ServicePort {
  readonly port: number;
  readonly nodePort?: number;
  readonly targetPort: string;
  readonly protocol: string;
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}
type Values = Readonly<Record<string, unknown>>;

/** Paths of all values that a schema knows. */
function namesOf({ properties = {} }: Schema, above = ''): string[] {
  return Object.entries(properties)
    .flatMap(([name, schema]) => [`${above}${name}`, ...namesOf(schema, `${above}${name}.`)])
    .sort();
}

/** Paths of all values that are there, as deep as the schema looks. */
function namesIn(values: Values, { properties = {} }: Schema, above = ''): string[] {
  return Object.entries(values)
    .flatMap(([name, value]) => {
      const schema = properties[name];
      const isSection = schema?.properties !== undefined;
      return [`${above}${name}`, ...(isSection ? namesIn(value as Values, schema, `${above}${name}.`) : [])];
    })
    .sort();
}

function byNames(a: KubeObject, b: KubeObject): number {
  const name = ({ kind, metadata }: KubeObject): string =>
    `${kind} ${metadata.namespace ?? ''} ${metadata.name ?? ''}`;
  return name(a) < name(b) ? -1 : 1;
}
