import assert from 'node:assert/strict';
import { ContainerError } from '../../src/pods/container-error.ts';
import type { Pod, PodContainer } from '../../src/pods/pod.ts';
import { makePod } from '../../testing/pod-maker.ts';
import { configSite } from './config-site.ts';

type Env = Pick<PodContainer, 'env' | 'envFrom' | 'resources'>;

function site(): ReturnType<typeof configSite> {
  const made = configSite('/nowhere');
  made.objects
    .configMap('map', { A: 'map-a', B: 'map-b' }, { binaryData: { BIN: 'AAEC' } })
    .configMap('more', { B: 'more-b', 'dotted.name': 'x', '1st': 'y' })
    .secret('hidden', { S: 's3cret', BAD: Uint8Array.of(0xff, 0xfe), NUL: 'a\0b' });
  return made;
}

async function environment(env: Env): Promise<Readonly<Record<string, string>>> {
  const container = { name: 'main', ...env };
  const pod = makePod('web', {
    metadata: { labels: { app: 'shop' }, annotations: { 'Example.com/note': 'hi' } },
    spec: { containers: [container] },
  });
  return Object.fromEntries(await site().configs.environment(pod, container, ['10.1.2.3', 'fd00::3']));
}

describe('where a container is told that an API server is', () => {
  const apiForPods = {
    server: ({ metadata }: Pod) =>
      metadata.name === 'web' ? { host: '169.254.2.1', port: 10_260 } : undefined,
  };

  async function told(name: string, env: PodContainer['env']): Promise<Readonly<Record<string, string>>> {
    const container = { name: 'main', ...(env !== undefined && { env }) };
    const { configs } = configSite('/nowhere', { apiForPods });
    return Object.fromEntries(await configs.environment(makePod(name), container, []));
  }

  it('is below all that the pod says, and can be referred to', async () => {
    assert.deepEqual(await told('web', undefined), {
      KUBERNETES_SERVICE_HOST: '169.254.2.1',
      KUBERNETES_SERVICE_PORT: '10260',
      KUBERNETES_SERVICE_PORT_HTTPS: '10260',
    });
    const own = await told('web', [
      { name: 'KUBERNETES_SERVICE_HOST', value: 'own' },
      { name: 'AT', value: '$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT)' },
    ]);
    assert.equal(own['KUBERNETES_SERVICE_HOST'], 'own');
    assert.equal(own['AT'], 'own:10260');
  });

  it('is nothing for pods that are told of none', async () => {
    assert.deepEqual(await told('db', undefined), {});
  });
});

// Source of the rules: kubelet, kubelet_pods.go makeEnvironmentVariables, and its tests.
describe('environment of a container', () => {
  const cases: readonly (readonly [string, Env, Readonly<Record<string, string>>])[] = [
    ['literals', { env: [{ name: 'A', value: '1' }, { name: 'E' }] }, { A: '1', E: '' }],
    [
      'references to what comes before',
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '$(A)-$(C)-$$(A)' },
          { name: 'C', value: '3' },
        ],
      },
      { A: '1', B: '1-$(C)-$(A)', C: '3' },
    ],
    [
      'the last of the same name, with a reference to the one before',
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '$(A)2' },
        ],
      },
      { A: '12' },
    ],
    [
      'envFrom, later over earlier, env over both',
      {
        envFrom: [{ configMapRef: { name: 'map' } }, { configMapRef: { name: 'more' } }],
        env: [{ name: 'A', value: 'own $(B)' }],
      },
      { A: 'own more-b', B: 'more-b', 'dotted.name': 'x', '1st': 'y' },
    ],
    [
      'envFrom with a prefix',
      { envFrom: [{ prefix: 'P_', configMapRef: { name: 'map' } }] },
      { P_A: 'map-a', P_B: 'map-b' },
    ],
    [
      'one key of each',
      {
        env: [
          { name: 'X', valueFrom: { configMapKeyRef: { name: 'map', key: 'A' } } },
          { name: 'Y', valueFrom: { secretKeyRef: { name: 'hidden', key: 'S' } } },
        ],
      },
      { X: 'map-a', Y: 's3cret' },
    ],
    [
      'optional and missing, object or key',
      {
        envFrom: [
          { configMapRef: { name: 'none', optional: true } },
          { secretRef: { name: 'none', optional: true } },
        ],
        env: [
          { name: 'X', valueFrom: { configMapKeyRef: { name: 'none', key: 'A', optional: true } } },
          { name: 'Y', valueFrom: { configMapKeyRef: { name: 'map', key: 'none', optional: true } } },
          { name: 'Z', valueFrom: { secretKeyRef: { name: 'hidden', key: 'none', optional: true } } },
        ],
      },
      {},
    ],
    [
      'fields and resources',
      {
        resources: { limits: { memory: '64Mi' }, requests: { cpu: '250m' } },
        env: [
          { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'APP', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
          { name: 'IPS', valueFrom: { fieldRef: { fieldPath: 'status.podIPs' } } },
          { name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
          { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
          { name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'requests.cpu', divisor: '1m' } } },
        ],
      },
      {
        NAME: 'web',
        APP: 'shop',
        IPS: '10.1.2.3,fd00::3',
        HOST: '192.0.2.10',
        MEM: '64',
        CPUS: '4',
        CPU: '250',
      },
    ],
    [
      'values from elsewhere are not expanded, and can be referred to',
      {
        env: [
          { name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['Example.com/note']" } } },
          { name: 'B', value: '<$(A)>' },
        ],
      },
      { A: 'hi', B: '<hi>' },
    ],
  ];
  for (const [what, env, expected] of cases) {
    it(what, async () => assert.deepEqual(await environment(env), expected));
  }

  const errors: readonly (readonly [Env, string])[] = [
    [{ envFrom: [{ configMapRef: { name: 'none' } }] }, 'configmap "none" not found'],
    [{ envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
    [
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'a' } } }] },
      'configmap "none" not found',
    ],
    [
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'map', key: 'a' } } }] },
      "couldn't find key a in ConfigMap default/map",
    ],
    [
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'map', key: 'BIN' } } }] },
      "couldn't find key BIN in ConfigMap default/map",
    ],
    [
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'hidden', key: 'a' } } }] },
      "couldn't find key a in Secret default/hidden",
    ],
    [
      { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.priority' } } }] },
      'field label not supported: spec.priority',
    ],
    [
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'hidden', key: 'BAD' } } }] },
      'the value of BAD is no UTF-8 text: an environment cannot have it',
    ],
    [
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'hidden', key: 'NUL' } } }] },
      'the value of NUL has a NUL: an environment cannot have it',
    ],
  ];
  for (const [env, message] of errors) {
    it(`says: ${message}`, async () => {
      await assert.rejects(environment(env), (error) => {
        assert.ok(error instanceof ContainerError);
        assert.deepEqual([error.reason, error.message], ['CreateContainerConfigError', message]);
        return true;
      });
    });
  }

  it('leaves out names that no environment can have, and says so', async () => {
    const { configs, events } = site();
    const container = { name: 'main', envFrom: [{ prefix: 'a=', configMapRef: { name: 'map' } }] };
    const pod = makePod('web', { spec: { containers: [container] } });
    assert.deepEqual(Object.fromEntries(await configs.environment(pod, container, [])), {});
    assert.deepEqual(events, [
      {
        pod: 'web',
        reason: 'InvalidEnvironmentVariableNames',
        message:
          'Keys [a=A, a=B] from the EnvFrom configMap default/map were skipped since they are considered invalid environment variable names.',
        container: 'main',
      },
    ]);
  });

  it('reads each object once', async () => {
    const { configs, objects } = site();
    const from = (key: string): NonNullable<PodContainer['env']>[number] => ({
      name: key,
      valueFrom: { configMapKeyRef: { name: 'map', key } },
    });
    const container = { name: 'main', env: [from('A'), from('B')] };
    await configs.environment(makePod('web', { spec: { containers: [container] } }), container, []);
    assert.deepEqual(objects.asked, ['configmaps/default/map']);
  });
});
