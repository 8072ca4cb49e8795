import assert from 'node:assert/strict';
import { containerSecurity, sandboxSecurity } from '../../../src/containers/security.ts';
import { ContainerError } from '../../../src/pods/container-error.ts';
import type { Pod } from '../../../src/pods/pod.ts';
import type { ContainerSecurityContext, PodSecurityContext } from '../../../src/pods/security-context.ts';
import type { LinuxSecurity } from '../../../src/runtime/container-config.ts';
import { makePod } from '../../../testing/pod-maker.ts';

const SETTINGS = { seccompRoot: '/seccomp', seccompDefault: 'Unconfined' } as const;
const ROOT_IMAGE = { uid: 0 };

function podOf(ofPod: PodSecurityContext | undefined, own: ContainerSecurityContext | undefined): Pod {
  return makePod('web', {
    uid: '7d1c',
    spec: {
      ...(ofPod !== undefined && { securityContext: ofPod }),
      containers: [{ name: 'main', ...(own !== undefined && { securityContext: own }) }],
    },
  });
}

function security(
  ofPod?: PodSecurityContext,
  own?: ContainerSecurityContext,
  image: { readonly uid?: number; readonly username?: string } = ROOT_IMAGE,
  volumeGroups: readonly number[] = [],
): LinuxSecurity {
  const pod = podOf(ofPod, own);
  const [main] = pod.spec.containers;
  assert.ok(main !== undefined);
  return containerSecurity(pod, main, image, volumeGroups, SETTINGS);
}

// Source of the expectations: kubelet, kuberuntime/security_context.go; securitycontext/util.go and their tests;
// Kubernetes, "Configure a Security Context for a Pod or Container".
describe('security of containers, as a kubelet sets it', () => {
  it('nothing said', () => {
    assert.deepEqual(security(), {
      privileged: false,
      capabilities: { add: [], drop: [] },
      runAsUser: 0,
      supplementalGroups: [],
      readOnlyRootFilesystem: false,
      noNewPrivileges: false,
      maskedPaths: [
        '/proc/asound',
        '/proc/acpi',
        '/proc/interrupts',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/proc/sched_debug',
        '/proc/scsi',
        '/sys/firmware',
        '/sys/devices/virtual/powercap',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
      seccomp: { type: 'unconfined' },
    });
  });

  type Case = readonly [
    string,
    PodSecurityContext | undefined,
    ContainerSecurityContext | undefined,
    Partial<LinuxSecurity>,
  ];
  const cases: readonly Case[] = [
    [
      'the user of the pod',
      { runAsUser: 1000, runAsGroup: 3000 },
      undefined,
      { runAsUser: 1000, runAsGroup: 3000 },
    ],
    [
      'the user of the container over it',
      { runAsUser: 1000, runAsGroup: 3000 },
      { runAsUser: 2000 },
      { runAsUser: 2000, runAsGroup: 3000 },
    ],
    ['root over the pod', { runAsUser: 1000 }, { runAsUser: 0 }, { runAsUser: 0 }],
    [
      'groups',
      { fsGroup: 20, supplementalGroups: [10, 20, 30] },
      undefined,
      { supplementalGroups: [20, 10, 30] },
    ],
    [
      'capabilities',
      undefined,
      { capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] } },
      { capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] } },
    ],
    ['privileged', undefined, { privileged: true }, { privileged: true }],
    ['read-only root', undefined, { readOnlyRootFilesystem: true }, { readOnlyRootFilesystem: true }],
    ['no escalation', undefined, { allowPrivilegeEscalation: false }, { noNewPrivileges: true }],
    ['escalation allowed', undefined, { allowPrivilegeEscalation: true }, { noNewPrivileges: false }],
    ['all of /proc', undefined, { procMount: 'Unmasked' }, { maskedPaths: [], readonlyPaths: [] }],
    [
      'seccomp of the pod',
      { seccompProfile: { type: 'RuntimeDefault' } },
      undefined,
      { seccomp: { type: 'runtime-default' } },
    ],
    [
      'seccomp of the container over it',
      { seccompProfile: { type: 'RuntimeDefault' } },
      { seccompProfile: { type: 'Localhost', localhostProfile: 'profiles/audit.json' } },
      { seccomp: { type: 'localhost', localhost: '/seccomp/profiles/audit.json' } },
    ],
    [
      'AppArmor',
      { appArmorProfile: { type: 'RuntimeDefault' } },
      { appArmorProfile: { type: 'Localhost', localhostProfile: 'k8s-deny-write' } },
      { appArmor: { type: 'localhost', localhost: 'k8s-deny-write' } },
    ],
    [
      'SELinux',
      { seLinuxOptions: { level: 's0:c1' } },
      undefined,
      { seLinux: { user: '', role: '', type: '', level: 's0:c1' } },
    ],
  ];
  for (const [what, ofPod, own, expected] of cases) {
    it(what, () => assert.deepEqual(security(ofPod, own), { ...security(), ...expected }));
  }

  it('the groups of volumes beside those of the pod', () => {
    assert.deepEqual(security({ fsGroup: 20 }, undefined, ROOT_IMAGE, [40, 20]).supplementalGroups, [20, 40]);
  });

  const images: readonly (readonly [string, { uid?: number; username?: string }, Partial<LinuxSecurity>])[] =
    [
      ['a number', { uid: 1001 }, { runAsUser: 1001 }],
      ['a name', { username: 'app' }, { runAsUsername: 'app' }],
      ['nobody', {}, { runAsUser: 0 }],
    ];
  for (const [what, image, expected] of images) {
    it(`the user of an image that names ${what}`, () => {
      const { runAsUser, runAsUsername } = security(undefined, undefined, image);
      assert.deepEqual(
        {
          ...(runAsUser !== undefined && { runAsUser }),
          ...(runAsUsername !== undefined && { runAsUsername }),
        },
        expected,
      );
    });
  }

  it('annotations of AppArmor, where there is no field', () => {
    const profiles: readonly (readonly [string, LinuxSecurity['appArmor']])[] = [
      ['runtime/default', { type: 'runtime-default' }],
      ['unconfined', { type: 'unconfined' }],
      ['localhost/mine', { type: 'localhost', localhost: 'mine' }],
      ['', undefined],
    ];
    for (const [profile, expected] of profiles) {
      const annotations = { 'container.apparmor.security.beta.kubernetes.io/main': profile };
      const main = { name: 'main' };
      const pod = makePod('web', { metadata: { annotations }, spec: { containers: [main] } });
      assert.deepEqual(containerSecurity(pod, main, ROOT_IMAGE, [], SETTINGS).appArmor, expected);
    }
  });

  it('a default of the node for seccomp', () => {
    const main = { name: 'main' };
    const pod = makePod('web', { spec: { containers: [main] } });
    const settings = { ...SETTINGS, seccompDefault: 'RuntimeDefault' } as const;
    assert.deepEqual(containerSecurity(pod, main, ROOT_IMAGE, [], settings).seccomp, {
      type: 'runtime-default',
    });
  });
});

// Source of the messages: kubelet, kuberuntime/security_context_others.go verifyRunAsNonRoot and its test.
describe('runAsNonRoot, as a kubelet checks it', () => {
  const WHERE = '(pod: "web_default(7d1c)", container: main)';
  type Case = readonly [
    string,
    PodSecurityContext,
    ContainerSecurityContext,
    { readonly uid?: number; readonly username?: string },
    string | undefined,
  ];
  const cases: readonly Case[] = [
    [
      'an image of root',
      {},
      { runAsNonRoot: true },
      { uid: 0 },
      `container has runAsNonRoot and image will run as root ${WHERE}`,
    ],
    [
      'an image of nobody in particular',
      {},
      { runAsNonRoot: true },
      {},
      `container has runAsNonRoot and image will run as root ${WHERE}`,
    ],
    [
      'an image of a name',
      {},
      { runAsNonRoot: true },
      { username: 'app' },
      `container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root ${WHERE}`,
    ],
    ['an image of a number', {}, { runAsNonRoot: true }, { uid: 7 }, undefined],
    ['a user of the spec', {}, { runAsNonRoot: true, runAsUser: 5 }, { uid: 0 }, undefined],
    [
      'root of the spec',
      {},
      { runAsNonRoot: true, runAsUser: 0 },
      { uid: 5 },
      `container's runAsUser breaks non-root policy ${WHERE}`,
    ],
    [
      'said by the pod',
      { runAsNonRoot: true },
      {},
      { uid: 0 },
      `container has runAsNonRoot and image will run as root ${WHERE}`,
    ],
    [
      'said by the pod, root too',
      { runAsNonRoot: true, runAsUser: 0 },
      {},
      { uid: 5 },
      `container's runAsUser breaks non-root policy ${WHERE}`,
    ],
    ['taken back by the container', { runAsNonRoot: true }, { runAsNonRoot: false }, { uid: 0 }, undefined],
    [
      'an impossible user',
      {},
      { runAsNonRoot: true },
      { uid: 2 ** 31 },
      `container has runAsNonRoot and image has an invalid user id (2147483648). (Must be 1-(2147483647)) ${WHERE}`,
    ],
  ];
  for (const [what, ofPod, own, image, message] of cases) {
    it(what, () => {
      if (message === undefined) {
        security(ofPod, own, image);
        return;
      }
      assert.throws(
        () => security(ofPod, own, image),
        (error) => {
          assert.ok(error instanceof ContainerError);
          assert.deepEqual([error.reason, error.message], ['CreateContainerConfigError', message]);
          return true;
        },
      );
    });
  }
});

describe('profiles that are none', () => {
  const cases: readonly (readonly [ContainerSecurityContext, RegExp])[] = [
    [
      { seccompProfile: { type: 'Localhost' } },
      /localhostProfile must be set if seccompProfile type is Localhost\.$/,
    ],
    [{ seccompProfile: { type: 'Localhost', localhostProfile: '../../etc/x' } }, /is not below \/seccomp/],
    [{ appArmorProfile: { type: 'Localhost' } }, /localhostProfile must be set if AppArmorProfile/],
    [{ seccompProfile: { type: 'Other' as 'Unconfined' } }, /"Other" is not known/],
  ];
  for (const [own, message] of cases) {
    it(String(message), () => assert.throws(() => security(undefined, own), message));
  }
});

// Source of the expectations: kubelet, kuberuntime_sandbox.go generatePodSandboxLinuxConfig.
describe('security of sandboxes, as a kubelet sets it', () => {
  it('waits under the profile of the runtime, with what the pod says', () => {
    const pod = podOf(
      { runAsUser: 5, runAsGroup: 6, fsGroup: 7, seccompProfile: { type: 'Unconfined' } },
      {},
    );
    assert.deepEqual(sandboxSecurity(pod), {
      privileged: false,
      capabilities: { add: [], drop: [] },
      runAsUser: 5,
      runAsGroup: 6,
      supplementalGroups: [7],
      readOnlyRootFilesystem: false,
      noNewPrivileges: false,
      maskedPaths: [],
      readonlyPaths: [],
      seccomp: { type: 'runtime-default' },
    });
  });

  it('is privileged where a container is', () => {
    assert.equal(sandboxSecurity(podOf(undefined, { privileged: true })).privileged, true);
  });

  it('names no group without a user', () => {
    assert.equal(sandboxSecurity(podOf({ runAsGroup: 6 }, undefined)).runAsGroup, undefined);
  });
});
