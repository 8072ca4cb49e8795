import assert from 'node:assert/strict';
import type { PodVolume } from '../../src/pods/volume-source.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { isSecret, payloadKeys, volumePayload } from '../../src/volumes/volume-payload.ts';
import { VolumeError } from '../../src/volumes/volume-error.ts';
import { makePod } from '../../testing/pod-maker.ts';
import { MemoryObjects } from './memory-objects.ts';

const objects = new MemoryObjects();
objects.set('configmaps/default/cfg', { data: { a: 'A', b: 'ü' }, binaryData: { bin: '/wA=' } });
objects.secret('key', { user: 'me', pass: 'secret' });
const tokens = {
  get: (uid: string, wish: { readonly audience?: string } = {}) =>
    uid === 'uid-web' && wish.audience !== 'none'
      ? { token: `token of ${wish.audience ?? ''}`, receivedMs: 0, expiresMs: 1, expired: true }
      : undefined,
};
const sources = { objects, tokens, allocatable: () => ({ memory: '1Gi', cpu: '2' }) };
const pod = makePod('web', {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'main', resources: { limits: { cpu: '500m' } } }] },
});

async function files(volume: Omit<PodVolume, 'name'>, of: Pod = pod): Promise<Record<string, string>> {
  const payload = await volumePayload(of, { name: 'v', ...volume }, sources);
  return Object.fromEntries(
    [...payload].map(([path, { data, mode, uid }]) => [
      path,
      `${Buffer.from(data).toString('latin1')} ${mode.toString(8)}${uid === undefined ? '' : ` ${uid}`}`,
    ]),
  );
}

describe('contents of volumes', () => {
  it('have the certificate of the local API beside the authority of the cluster, for pods that use it', async () => {
    objects.set('configmaps/default/kube-root-ca.crt', { data: { 'ca.crt': 'CLUSTER', other: 'o' } });
    const apiForPods = {
      authority: ({ metadata }: Pod) => (metadata.name === 'web' ? 'LOCAL\n' : undefined),
    };
    const source = { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca' }] } };
    const read = async (of: Pod, volume: Omit<PodVolume, 'name'>): Promise<readonly string[]> => {
      const payload = await volumePayload(of, { name: 'v', ...volume }, { ...sources, apiForPods });
      return [...payload].map(([path, { data }]) => `${path}=${Buffer.from(data).toString('utf8')}`).sort();
    };
    assert.deepEqual(await read(pod, { projected: { sources: [source] } }), ['ca=CLUSTER\nLOCAL\n']);
    assert.deepEqual(await read(pod, { configMap: { name: 'kube-root-ca.crt' } }), [
      'ca.crt=CLUSTER\nLOCAL\n',
      'other=o',
    ]);
    assert.deepEqual(await read(makePod('db'), { projected: { sources: [source] } }), ['ca=CLUSTER']);
    assert.deepEqual(await files({ projected: { sources: [source] } }), { ca: 'CLUSTER 644' });
    objects.set('configmaps/default/other-ca', { data: { 'ca.crt': 'MINE' } });
    assert.deepEqual(await read(pod, { configMap: { name: 'other-ca' } }), ['ca.crt=MINE']);
  });

  const cases: readonly (readonly [string, Omit<PodVolume, 'name'>, Readonly<Record<string, string>>])[] = [
    ['a configMap', { configMap: { name: 'cfg' } }, { bin: '\xff\x00 644', a: 'A 644', b: 'Ã¼ 644' }],
    [
      'items of a configMap with modes',
      {
        configMap: {
          name: 'cfg',
          defaultMode: 0o400,
          items: [
            { key: 'a', path: 'x/y' },
            { key: 'bin', path: 'z', mode: 0o755 },
            { key: 'a', path: 'again' },
          ],
        },
      },
      { 'x/y': 'A 400', z: '\xff\x00 755', again: 'A 400' },
    ],
    [
      'an optional key',
      { configMap: { name: 'cfg', optional: true, items: [{ key: 'no', path: 'p' }] } },
      {},
    ],
    ['an optional configMap', { configMap: { name: 'no', optional: true } }, {}],
    [
      'a secret',
      { secret: { secretName: 'key', defaultMode: 0o440 } },
      { user: 'me 440', pass: 'secret 440' },
    ],
    ['an optional secret', { secret: { secretName: 'no', optional: true } }, {}],
    [
      'fields',
      {
        downwardAPI: {
          defaultMode: 0o600,
          items: [
            { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
            { path: 'name', fieldRef: { fieldPath: 'metadata.name' }, mode: 0o444 },
            {
              path: 'cpu',
              resourceFieldRef: { containerName: 'main', resource: 'limits.cpu', divisor: '1m' },
            },
            {
              path: 'mem',
              resourceFieldRef: { containerName: 'main', resource: 'limits.memory', divisor: '1Mi' },
            },
          ],
        },
      },
      { labels: 'app="web" 600', name: 'web 444', cpu: '500 600', mem: '1024 600' },
    ],
    [
      'many sources, the last one first',
      {
        projected: {
          defaultMode: 0o640,
          sources: [
            { configMap: { name: 'cfg', items: [{ key: 'a', path: 'both' }] } },
            { secret: { name: 'key', items: [{ key: 'user', path: 'both' }] } },
            { downwardAPI: { items: [{ path: 'ns', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
            { serviceAccountToken: { path: 'token', audience: 'vault' } },
          ],
        },
      },
      { both: 'me 640', ns: 'default 640', token: 'token of vault 640' },
    ],
    ['nothing', { projected: {} }, {}],
  ];
  for (const [name, volume, expected] of cases) {
    it(name, async () => assert.deepEqual(await files(volume), expected));
  }

  const token = { projected: { sources: [{ serviceAccountToken: { path: 't' } }] } };
  const owners: readonly (readonly [string, Partial<Pod['spec']>, string])[] = [
    ['no user', {}, 'token of  644'],
    ['a group', { securityContext: { fsGroup: 7 } }, 'token of  600'],
    ['the user of the pod', { securityContext: { runAsUser: 8 } }, 'token of  600 8'],
    [
      'one user of all containers',
      {
        initContainers: [{ name: 'i', securityContext: { runAsUser: 9 } }],
        containers: [{ name: 'a', securityContext: { runAsUser: 9 } }],
      },
      'token of  600 9',
    ],
    [
      'several users',
      {
        securityContext: { runAsUser: 8 },
        containers: [{ name: 'a', securityContext: { runAsUser: 9 } }, { name: 'b' }],
      },
      'token of  644',
    ],
  ];
  for (const [name, spec, expected] of owners) {
    it(`a token for ${name}`, async () => {
      assert.deepEqual(await files(token, makePod('web', { spec })), { t: expected });
    });
  }

  const errors: readonly (readonly [Omit<PodVolume, 'name'>, string, boolean?])[] = [
    [{ configMap: { name: 'no' } }, 'configmap "no" not found'],
    [{ secret: { secretName: 'no' } }, 'secret "no" not found'],
    [
      { configMap: { name: 'cfg', items: [{ key: 'no', path: 'p' }] } },
      'configmap references non-existent config key: no',
    ],
    [
      { secret: { secretName: 'key', items: [{ key: 'no', path: 'p' }] } },
      'references non-existent secret key: no',
    ],
    [
      {
        projected: {
          sources: [{ configMap: { name: 'x' } }, { secret: { name: 'y' } }, { secret: { name: 'y' } }],
        },
      },
      '[configmap "x" not found, secret "y" not found]',
    ],
    [
      { projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'none' } }] } },
      'failed to fetch token: there is none yet of serviceaccount "default"',
    ],
    [
      {
        downwardAPI: {
          items: [
            { path: 'a', fieldRef: { fieldPath: 'spec.x' } },
            { path: 'b', resourceFieldRef: { containerName: 'no', resource: 'limits.cpu' } },
          ],
        },
      },
      '[field label not supported: spec.x, container no not found]',
    ],
    [
      { projected: { sources: [{ clusterTrustBundle: { path: 'x' } } as object] } },
      'projected volumes of this node have no clusterTrustBundle',
      true,
    ],
  ];
  for (const [volume, message, isFinal = false] of errors) {
    it(`says: ${message}`, () =>
      assert.rejects(
        files(volume),
        (error) => error instanceof VolumeError && error.message === message && error.isFinal === isFinal,
      ));
  }

  it('knows what it is made from', () => {
    const volume = {
      name: 'v',
      projected: { sources: [{ configMap: { name: 'x' } }, { secret: { name: 'y' } }, { downwardAPI: {} }] },
    };
    assert.deepEqual(payloadKeys(pod, volume), ['configmaps/default/x', 'secrets/default/y']);
    assert.deepEqual(payloadKeys(pod, { name: 's', secret: { secretName: 'z' } }), ['secrets/default/z']);
    assert.equal(isSecret(volume), true);
    assert.equal(isSecret({ name: 't', ...token }), true);
    assert.equal(isSecret({ name: 'd', downwardAPI: {} }), false);
    assert.equal(isSecret({ name: 'c', configMap: { name: 'x' } }), false);
  });
});
