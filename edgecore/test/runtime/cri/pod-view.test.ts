import assert from 'node:assert/strict';
import { Container, ContainerStatus } from '../../../src/cri/container-messages.ts';
import { Image } from '../../../src/cri/image-messages.ts';
import { PodSandbox, PodSandboxNetworkStatus } from '../../../src/cri/sandbox-messages.ts';
import { imageView } from '../../../src/runtime/cri/cri-images.ts';
import { PodCache } from '../../../src/runtime/cri/pod-cache.ts';
import {
  addressesOf,
  containerView,
  podViews,
  sandboxView,
  type CriContainer,
  type CriContainerStatus,
  type CriSandbox,
} from '../../../src/runtime/cri/pod-view.ts';

const MS = 1e6;
const NOW_MS = 1_700_000_000_000;

const sandboxItem = (change: Parameters<typeof PodSandbox.encode>[0] = {}): CriSandbox =>
  PodSandbox.decode(
    PodSandbox.encode({
      id: 's1',
      metadata: { name: 'web', uid: 'u1', namespace: 'default', attempt: 0 },
      createdAt: NOW_MS * MS,
      ...change,
    }),
  );
const item = (change: Parameters<typeof Container.encode>[0] = {}): CriContainer =>
  Container.decode(
    Container.encode({
      id: 'c1',
      podSandboxId: 's1',
      metadata: { name: 'main', attempt: 0 },
      image: { image: 'sha256:1' },
      imageRef: 'sha256:1',
      state: 1,
      createdAt: NOW_MS * MS,
      labels: { 'io.kubernetes.pod.uid': 'u1' },
      annotations: { 'hawser.dev/image': 'busybox' },
      ...change,
    }),
  );
const status = (change: Parameters<typeof ContainerStatus.encode>[0] = {}): CriContainerStatus =>
  ContainerStatus.decode(
    ContainerStatus.encode({
      id: 'c1',
      state: 1,
      startedAt: (NOW_MS + 5) * MS,
      imageRef: 'busybox@sha256:2',
      logPath: '/logs/0.log',
      ...change,
    }),
  );

const COMMON = {
  name: 'main',
  id: 'c1',
  sandboxId: 's1',
  attempt: 0,
  image: 'busybox',
  imageId: 'busybox@sha256:2',
  createdAtMs: NOW_MS,
  logPath: '/logs/0.log',
  notes: { specHash: '', terminationMessagePath: '', terminationMessagePolicy: '' },
};

describe('a container in a runtime', () => {
  for (const [what, listed, told, expected] of [
    ['that was not started', { state: 0 }, { state: 0, startedAt: 0 }, { state: 'created' }],
    ['that runs', {}, {}, { state: 'running', startedAtMs: NOW_MS + 5 }],
    [
      'that ended since it was listed',
      {},
      { state: 2, finishedAt: (NOW_MS + 9) * MS, reason: 'Completed' },
      {
        state: 'exited',
        startedAtMs: NOW_MS + 5,
        finishedAtMs: NOW_MS + 9,
        exitCode: 0,
        reason: 'Completed',
      },
    ],
    [
      'that was out of memory',
      { state: 2 },
      { state: 2, finishedAt: (NOW_MS + 9) * MS, exitCode: 137, reason: 'OOMKilled', message: 'too much' },
      {
        state: 'exited',
        startedAtMs: NOW_MS + 5,
        finishedAtMs: NOW_MS + 9,
        exitCode: 137,
        reason: 'OOMKilled',
        message: 'too much',
      },
    ],
    [
      'that could not be started',
      { state: 2 },
      {
        state: 2,
        startedAt: 0,
        finishedAt: (NOW_MS + 9) * MS,
        exitCode: 128,
        reason: 'StartError',
        message: 'no',
      },
      { state: 'exited', finishedAtMs: NOW_MS + 9, exitCode: 128, reason: 'StartError', message: 'no' },
    ],
    [
      'that ended before its start was noted',
      { state: 2 },
      { state: 2, finishedAt: (NOW_MS + 4) * MS, reason: 'Completed' },
      {
        state: 'exited',
        startedAtMs: NOW_MS + 5,
        finishedAtMs: NOW_MS + 5,
        exitCode: 0,
        reason: 'Completed',
      },
    ],
    ['that is lost', { state: 3 }, { state: 3 }, { state: 'unknown', startedAtMs: NOW_MS + 5 }],
    [
      'in a state of later releases',
      { state: 9 as 0 },
      { state: 9 as 0 },
      { state: 'unknown', startedAtMs: NOW_MS + 5 },
    ],
  ] as const) {
    it(what, () => assert.deepEqual(containerView(item(listed), status(told)), { ...COMMON, ...expected }));
  }

  for (const [state, isSaid] of [
    [0, false],
    [1, true],
    [2, true],
    [3, false],
  ] as const)
    it(`is ${isSaid ? '' : 'not '}said to have ended where an event told so, in state ${state}`, () => {
      const ended = { exitCode: 3, finishedAtMs: NOW_MS };
      const view = containerView(item({ state }), status({ state }), ended);
      assert.deepEqual(view.ended, isSaid ? ended : undefined);
    });

  it('has the image of the runtime where nobody noted another', () => {
    const view = containerView(
      item({ annotations: {} }),
      status({ image: { image: 'docker.io/busybox:1' }, imageRef: '' }),
    );
    assert.deepEqual([view.image, view.imageId], ['docker.io/busybox:1', 'sha256:1']);
  });
});

describe('a sandbox in a runtime', () => {
  it('has addresses while it is ready', () => {
    assert.deepEqual(sandboxView(sandboxItem({ metadata: { attempt: 4 } }), ['10.0.0.2']), {
      id: 's1',
      attempt: 4,
      ready: true,
      createdAtMs: NOW_MS,
      ips: ['10.0.0.2'],
    });
    assert.deepEqual(sandboxView(sandboxItem({ state: 1 }), ['10.0.0.2']).ips, []);
  });

  for (const [what, network, expected] of [
    ['none', undefined, []],
    ['none on the host’s network', { ip: '' }, []],
    ['one', { ip: '10.0.0.2' }, ['10.0.0.2']],
    ['two', { ip: '10.0.0.2', additionalIps: [{ ip: 'fd00::2' }, { ip: '' }] }, ['10.0.0.2', 'fd00::2']],
  ] as const) {
    it(`has ${what}`, () => {
      const told = network && PodSandboxNetworkStatus.decode(PodSandboxNetworkStatus.encode(network));
      assert.deepEqual(addressesOf(told), expected);
    });
  }
});

describe('pods in a runtime', () => {
  it('have the latest first', () => {
    const sandboxes = [
      sandboxItem({ id: 'old', state: 1 }),
      sandboxItem({ id: 'other', metadata: { uid: 'u2', name: 'db', namespace: 'prod' } }),
      sandboxItem({ id: 'new', metadata: { uid: 'u1', name: 'web', namespace: 'default', attempt: 1 } }),
    ];
    const containers = [
      item({ id: 'c0' }),
      item({ id: 'c1', metadata: { name: 'main', attempt: 1 } }),
      item({ id: 'gone', labels: { 'io.kubernetes.pod.uid': 'u9' } }),
      item({ id: 'vanished' }),
      item({ id: 'c2', labels: { 'io.kubernetes.pod.uid': 'u2' } }),
    ];
    const pods = podViews(
      sandboxes,
      containers,
      (sandbox) => sandboxView(sandbox, []),
      (container) => (container.id === 'vanished' ? undefined : containerView(container, undefined)),
    );
    assert.deepEqual(
      pods.map((pod) => [
        pod.uid,
        pod.namespace,
        pod.name,
        pod.sandboxes.map(({ id }) => id),
        pod.containers.map(({ id }) => id),
      ]),
      [
        ['u1', 'default', 'web', ['new', 'old'], ['c1', 'c0']],
        ['u2', 'prod', 'db', ['other'], ['c2']],
      ],
    );
  });
});

describe('an image in a runtime', () => {
  const image = (change: Parameters<typeof Image.encode>[0]): ReturnType<typeof imageView> =>
    imageView(
      Image.decode(
        Image.encode({ id: 'sha256:1', repoTags: ['a:1'], repoDigests: ['a@sha256:2'], size: 5, ...change }),
      ),
    );
  const common = { id: 'sha256:1', tags: ['a:1'], digests: ['a@sha256:2'], sizeBytes: 5, pinned: false };

  for (const [what, change, expected] of [
    ['without a user', {}, common],
    ['with user 0, which is one', { uid: { value: 0 } }, { ...common, uid: 0 }],
    ['with a user’s name', { username: 'app' }, { ...common, username: 'app' }],
    ['that is the runtime’s own', { pinned: true }, { ...common, pinned: true }],
  ] as const) {
    it(what, () => assert.deepEqual(image(change), expected));
  }
});

describe('PodCache', () => {
  function cacheWith(kept: CriContainerStatus): PodCache {
    const cache = new PodCache();
    cache.note('c1', 'container', 'u1');
    cache.keepStatus(kept);
    return cache;
  }
  const exited = (change: Parameters<typeof ContainerStatus.encode>[0] = {}): CriContainerStatus =>
    status({ state: 2, finishedAt: NOW_MS * MS, reason: 'Completed', ...change });

  for (const [what, kept, listed, atMs, known] of [
    ['one that runs still', status(), {}, NOW_MS, true],
    ['one that has ended since', status(), { state: 2 }, NOW_MS, false],
    ['one that has started since', status({ state: 0 }), { state: 1 }, NOW_MS, false],
    ['one that has ended', exited(), { state: 2 }, NOW_MS, true],
    ['one that has ended, and was listed before', exited(), { state: 1 }, NOW_MS, true],
    [
      'one that was killed just now',
      exited({ exitCode: 137, reason: 'Error' }),
      { state: 2 },
      NOW_MS + 100,
      false,
    ],
    [
      'one that was killed a while ago',
      exited({ exitCode: 137, reason: 'Error' }),
      { state: 2 },
      NOW_MS + 6_000,
      true,
    ],
    [
      'one that is known to have been out of memory',
      exited({ exitCode: 137, reason: 'OOMKilled' }),
      { state: 2 },
      NOW_MS,
      true,
    ],
  ] as const) {
    it(`${known ? 'need not ask' : 'has to ask'} for ${what}`, () => {
      assert.equal(cacheWith(kept).statusOf(item(listed), atMs), known ? kept : undefined);
    });
  }

  it('forgets what a list has not, and nothing that came while it was made', () => {
    const cache = new PodCache();
    cache.note('gone', 'container', 'u1');
    cache.note('there', 'sandbox', 'u1');
    const moment = cache.now();
    cache.note('new', 'container', 'u2');
    cache.note('there', 'sandbox', 'u1');
    cache.forgetOthers(moment);
    assert.equal(cache.find('gone'), undefined);
    assert.equal(cache.find('there')?.uid, 'u1');
    assert.equal(cache.find('new')?.uid, 'u2');
  });

  it('keeps nothing of what it does not know', () => {
    const cache = new PodCache();
    cache.keepStatus(exited());
    cache.keepAddresses('s1', ['10.0.0.2']);
    assert.equal(cache.statusOf(item({ state: 2 }), NOW_MS), undefined);
    assert.equal(cache.addressesOf('s1'), undefined);
  });
});
