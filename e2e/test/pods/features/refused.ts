import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { RESOURCES, resourcePath, type KubeObject } from '@hawser/kube';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { condition, pairs, type FeatureSite } from './feature-site.ts';
import { shell, STAYS } from './shell.ts';

/** What is refused: the pod, and the reason and message that its status and an event have. */
const REFUSED: readonly (readonly [string, Parameters<typeof shellPod>[2], string, string])[] = [
  [
    'user-namespaces',
    { spec: { hostUsers: false } },
    'PodFeatureUnsupported',
    'the node does not support user namespaces (hostUsers: false)',
  ],
  [
    'csi',
    {
      spec: { volumes: [{ name: 'disk', csi: { driver: 'disk.test' } }] },
      container: { volumeMounts: [{ name: 'disk', mountPath: '/disk' }] },
    },
    ...(['PodFeatureUnsupported', 'the node does not support csi (volume "disk")'] as const),
  ],
  [
    'nfs-and-more',
    {
      spec: {
        volumes: [
          { name: 'far', nfs: { server: 'far.test', path: '/' } },
          { name: 'huge', emptyDir: { medium: 'HugePages' } },
        ],
      },
    },
    'PodFeatureUnsupported',
    'the node does not support nfs (volume "far"); emptyDir of medium HugePages (volume "huge")',
  ],
  [
    'huge-pages',
    {
      container: {
        resources: {
          limits: { 'hugepages-2Mi': '4Mi', memory: '16Mi' },
          requests: { 'hugepages-2Mi': '4Mi', memory: '16Mi' },
        },
      },
    },
    'PodFeatureUnsupported',
    'the node does not support huge pages (hugepages-2Mi) of container "main"',
  ],
  [
    'sysctls',
    { spec: { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } } },
    'SysctlForbidden',
    'forbidden sysctl: "kernel.msgmax" not allowlisted',
  ],
  [
    'runtime-class',
    { spec: { runtimeClassName: 'machines' } },
    'RuntimeClassNotSupported',
    'the node has no handler for runtime class "machines": name it in pods.runtimeClasses of its configuration',
  ],
  [
    'strict-groups',
    { spec: { securityContext: { supplementalGroupsPolicy: 'Strict' } } },
    'SupplementalGroupsPolicyNotSupported',
    'SupplementalGroupsPolicy=Strict is not supported in this node',
  ],
  [
    'container-fields',
    {
      container: {
        ...{ restartPolicy: 'Never', lifecycle: { stopSignal: 'SIGINT' } },
        volumeDevices: [{ name: 'raw', devicePath: '/dev/raw' }],
      },
      spec: {
        os: { name: 'linux' },
        volumes: [{ name: 'raw', persistentVolumeClaim: { claimName: 'raw' } }],
      },
    },
    'PodFeatureUnsupported',
    'the node does not support block volumes (volumeDevices) of container "main"; lifecycle.stopSignal of container "main"; a restartPolicy of its own of container "main"',
  ],
  [
    'windows',
    { spec: { os: { name: 'windows' } } },
    'PodOSNotSupported',
    "Failed to admit pod as the OS field doesn't match node OS",
  ],
];
const APPARMOR = '/sys/module/apparmor/parameters/enabled';

/** What a node of this release does not do: it says so, and runs nothing of it. */
export function describeRefused(site: () => FeatureSite): void {
  describe('what is not supported', () => {
    const hasAppArmor = existsSync(APPARMOR) && readFileSync(APPARMOR, 'utf8').startsWith('Y');
    const refused = hasAppArmor
      ? REFUSED
      : [
          ...REFUSED,
          [
            'apparmor',
            { spec: { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } } },
            'AppArmor',
            'Cannot enforce AppArmor: AppArmor is not enabled on the host',
          ] as const,
        ];

    before(async () => {
      await site().create(
        ...refused.map(([name, more]) => shellPod(`refused-${name}`, 'true', more)),
        shellPod('ephemeral', STAYS),
        shellPod('no-services', 'env', { spec: { restartPolicy: 'Never', enableServiceLinks: true } }),
      );
    });
    after(() => site().forget(...refused.map(([name]) => `refused-${name}`), 'ephemeral', 'no-services'));

    for (const [name, , reason, message] of refused)
      it(`is refused: ${name}`, async () => {
        const pod = await site().untilPhase(`refused-${name}`, 'Failed');
        assert.deepEqual([pod.status?.reason, pod.status?.message], [reason, message]);
        assert.deepEqual(
          ['Ready', 'ContainersReady'].map((type) => condition(pod, type)?.reason),
          ['PodFailed', 'PodFailed'],
        );
        const event = await site().untilEvent(`refused-${name}`, (one) => one.reason === reason);
        assert.deepEqual([event.type, event.message, event.fieldPath], ['Warning', message, '']);
        assert.ok(!(await site().pods.containerd.ctr(['containers', 'ls'])).includes(`refused-${name}`));
      });

    it('says that ephemeral containers are not run, and lets the pod run on', async () => {
      const { metadata } = await site().untilReady('ephemeral');
      const path = `${resourcePath(RESOURCES.pods, { namespace: 'default', name: 'ephemeral' })}/ephemeralcontainers`;
      const debug = { ...shell('debug', 'true'), imagePullPolicy: 'Never' };
      const body = { metadata: { uid: metadata.uid }, spec: { ephemeralContainers: [debug] } };
      await site().pods.cluster.client.request({
        ...{ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' },
      });
      const event = await site().untilEvent(
        'ephemeral',
        ({ reason }) => reason === 'EphemeralContainersUnsupported',
      );
      assert.equal(event.message, 'the node does not run ephemeral containers: debug');
      const { status } = await site().pod('ephemeral');
      assert.deepEqual([status?.phase, status?.containerStatuses?.[0]?.restartCount], ['Running', 0]);
    });

    it('has no variables of services', async () => {
      const web: KubeObject = {
        ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' } },
        spec: { ports: [{ port: 80 }], selector: { app: 'web' } },
      };
      await site().create(web);
      const names = Object.keys(pairs(await site().saidBy('no-services')));
      assert.deepEqual(
        names.filter((name) => name.includes('SERVICE')),
        [],
      );
    });
  });
}
