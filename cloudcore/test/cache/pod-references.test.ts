import assert from 'node:assert/strict';
import type { KubeObject } from '@hawser/kube';
import { isTerminated, podReferences } from '../../src/cache/pod-references.ts';

function podWith(spec: Record<string, unknown>, status: Record<string, unknown> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' }, spec, status };
}

function container(from: string): Record<string, unknown> {
  return {
    name: from,
    env: [
      { name: 'A', value: 'plain' },
      { name: 'B', valueFrom: { configMapKeyRef: { name: `${from}-env-map`, key: 'k' } } },
      { name: 'C', valueFrom: { secretKeyRef: { name: `${from}-env-secret`, key: 'k' } } },
      { name: 'D', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ],
    envFrom: [{ configMapRef: { name: `${from}-from-map` } }, { secretRef: { name: `${from}-from-secret` } }],
  };
}

/** Every place of a pod's spec that can name something, and the key that has to come of it. */
const PLACES: readonly (readonly [what: string, spec: Record<string, unknown>, keys: readonly string[]])[] = [
  ['service account', { serviceAccountName: 'runner' }, ['serviceaccounts/shop/runner']],
  ['pull secrets', { imagePullSecrets: [{ name: 'pull' }, { name: 'pull' }, {}] }, ['secrets/shop/pull']],
  ...(['containers', 'initContainers', 'ephemeralContainers'] as const).map(
    (list) =>
      [
        list,
        { [list]: [container('x')] },
        [
          'configmaps/shop/x-env-map',
          'configmaps/shop/x-from-map',
          'secrets/shop/x-env-secret',
          'secrets/shop/x-from-secret',
        ],
      ] as const,
  ),
  ...(
    [
      ['configMap', { name: 'm' }, 'configmaps/shop/m'],
      ['secret', { secretName: 's' }, 'secrets/shop/s'],
      ['azureFile', { secretName: 's', shareName: 'x' }, 'secrets/shop/s'],
      ['cephfs', { secretRef: { name: 's' } }, 'secrets/shop/s'],
      ['cinder', { secretRef: { name: 's' } }, 'secrets/shop/s'],
      ['flexVolume', { driver: 'd', secretRef: { name: 's' } }, 'secrets/shop/s'],
      ['iscsi', { secretRef: { name: 's' } }, 'secrets/shop/s'],
      ['rbd', { secretRef: { name: 's' } }, 'secrets/shop/s'],
      ['scaleIO', { secretRef: { name: 's' } }, 'secrets/shop/s'],
      ['storageos', { secretRef: { name: 's' } }, 'secrets/shop/s'],
      ['csi', { driver: 'd', nodePublishSecretRef: { name: 's' } }, 'secrets/shop/s'],
      ['persistentVolumeClaim', { claimName: 'c' }, 'persistentvolumeclaims/shop/c'],
      ['ephemeral', { volumeClaimTemplate: {} }, 'persistentvolumeclaims/shop/web-vol'],
    ] as const
  ).map(([source, body, key]) => [source, { volumes: [{ name: 'vol', [source]: body }] }, [key]] as const),
  [
    'projected sources, the root CA among them',
    {
      volumes: [
        {
          name: 'all',
          projected: {
            sources: [
              { serviceAccountToken: { path: 'token' } },
              { configMap: { name: 'kube-root-ca.crt' } },
              { secret: { name: 'p' } },
              { downwardAPI: { items: [] } },
            ],
          },
        },
      ],
    },
    ['configmaps/shop/kube-root-ca.crt', 'secrets/shop/p'],
  ],
  ['nothing', { containers: [{ name: 'c', image: 'i' }], volumes: [{ name: 'e', emptyDir: {} }] }, []],
  [
    'names that are none',
    {
      serviceAccountName: '',
      imagePullSecrets: [
        { name: 'a/b' },
        { name: '..' },
        { name: 7 },
        'text',
        null,
        { name: 'x'.repeat(254) },
      ],
      volumes: [
        { name: 'v', configMap: { name: 'Upper' } },
        { name: 'w', ephemeral: {} },
      ],
    },
    ['persistentvolumeclaims/shop/web-w'],
  ],
];

describe('podReferences', function () {
  for (const [what, spec, keys] of PLACES) {
    it(`finds what is named by: ${what}`, function () {
      assert.deepEqual([...podReferences(podWith(spec))].sort(), keys);
    });
  }

  it('finds what all places name together, each once', function () {
    const spec: Record<string, unknown> = {};
    for (const [, part] of PLACES) {
      for (const [name, value] of Object.entries(part)) {
        const present: unknown = spec[name];
        spec[name] =
          Array.isArray(present) && Array.isArray(value) ? (present as unknown[]).concat(value) : value;
      }
    }
    spec['serviceAccountName'] = 'runner';
    const found = podReferences(podWith(spec));
    assert.deepEqual([...found].sort(), [...new Set(PLACES.flatMap(([, , keys]) => keys))].sort());
  });

  it('takes any nonsense for nothing', function () {
    for (const spec of [
      null,
      7,
      'text',
      [],
      { volumes: 7, containers: { a: 1 } },
      { volumes: [null, 7, []] },
    ]) {
      assert.deepEqual(podReferences({ ...podWith({}), spec }), []);
    }
  });
});

describe('isTerminated', function () {
  for (const [phase, expected] of [
    ['Pending', false],
    ['Running', false],
    ['Unknown', false],
    ['Succeeded', true],
    ['Failed', true],
  ] as const) {
    it(`is ${String(expected)} for ${phase}`, function () {
      assert.equal(isTerminated(podWith({}, { phase })), expected);
    });
  }
});
