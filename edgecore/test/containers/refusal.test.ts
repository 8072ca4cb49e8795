import assert from 'node:assert/strict';
import { unknownFields } from '../../src/containers/known-fields.ts';
import { refusalOf, type Refusal, type RefusalNode } from '../../src/containers/refusal.ts';
import { sysctlName, sysctlRefusal, sysctlsOf } from '../../src/containers/sysctls.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { makePod } from '../../testing/pod-maker.ts';

const NODE: RefusalNode = { kernel: '6.1.0', hasAppArmor: true, runtimeClasses: new Set(['kata']) };

/** With fields that the types of this package do not have. */
function pod(spec: object): Pod {
  return makePod('web', { spec });
}

function main(more: object): object {
  return { containers: [{ name: 'main', image: 'a:1', ...more }] };
}

describe('refusalOf', () => {
  it('refuses nothing of a pod that uses what is there', () => {
    const everything = {
      os: { name: 'linux' },
      hostUsers: true,
      runtimeClassName: 'kata',
      securityContext: {
        sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }],
        supplementalGroupsPolicy: 'Merge',
        appArmorProfile: { type: 'RuntimeDefault' },
      },
      volumes: [
        { name: 'a', emptyDir: { medium: 'Memory' } },
        { name: 'b', hostPath: { path: '/x' } },
        { name: 'c', configMap: { name: 'x' } },
        { name: 'd', secret: { secretName: 'x' } },
        { name: 'e', downwardAPI: {} },
        {
          name: 'f',
          projected: {
            sources: [
              { serviceAccountToken: { path: 't' } },
              { configMap: {} },
              { secret: {} },
              { downwardAPI: {} },
            ],
          },
        },
        { name: 'g', persistentVolumeClaim: { claimName: 'x' } },
      ],
      initContainers: [{ name: 'side', restartPolicy: 'Always' }],
      ephemeralContainers: [{ name: 'debug' }],
      resourceClaims: [],
      resources: {},
      ...main({
        resources: { limits: { 'hugepages-2Mi': '0', 'vendor.example/device': '1' } },
        securityContext: { procMount: 'Unmasked' },
        volumeDevices: [],
      }),
    };
    assert.equal(refusalOf(pod(everything), NODE), undefined);
  });

  const own = (reason: string, message: string): Refusal => ({ reason, message });
  const unsupported = (what: string): Refusal =>
    own('PodFeatureUnsupported', `the node does not support ${what}`);
  const cases: readonly (readonly [object, Refusal])[] = [
    [
      { os: { name: 'windows' } },
      own('PodOSNotSupported', "Failed to admit pod as the OS field doesn't match node OS"),
    ],
    [
      { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
      own('SysctlForbidden', 'forbidden sysctl: "kernel.msgmax" not allowlisted'),
    ],
    [
      { securityContext: { supplementalGroupsPolicy: 'Strict' } },
      own(
        'SupplementalGroupsPolicyNotSupported',
        'SupplementalGroupsPolicy=Strict is not supported in this node',
      ),
    ],
    [
      { runtimeClassName: 'gvisor' },
      own(
        'RuntimeClassNotSupported',
        'the node has no handler for runtime class "gvisor": name it in pods.runtimeClasses of its configuration',
      ),
    ],
    [{ hostUsers: false }, unsupported('user namespaces (hostUsers: false)')],
    [{ resourceClaims: [{ name: 'gpu' }] }, unsupported('resource claims (resourceClaims)')],
    [{ resources: { limits: { cpu: '1' } } }, unsupported('resources of the whole pod (resources)')],
    [{ securityContext: { windowsOptions: {} } }, unsupported('securityContext.windowsOptions')],
    [{ volumes: [{ name: 'v', csi: { driver: 'x' } }] }, unsupported('csi (volume "v")')],
    [{ volumes: [{ name: 'v', ephemeral: {} }] }, unsupported('ephemeral (volume "v")')],
    [
      { volumes: [{ name: 'v', emptyDir: { medium: 'HugePages-2Mi' } }] },
      unsupported('emptyDir of medium HugePages-2Mi (volume "v")'),
    ],
    [
      { volumes: [{ name: 'v', projected: { sources: [{ clusterTrustBundle: {} }] } }] },
      unsupported('projected clusterTrustBundle (volume "v")'),
    ],
    [
      main({ securityContext: { windowsOptions: {} } }),
      unsupported('securityContext.windowsOptions of container "main"'),
    ],
    [
      main({ volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] }),
      unsupported('block volumes (volumeDevices) of container "main"'),
    ],
    [
      main({ resources: { claims: [{ name: 'gpu' }] } }),
      unsupported('resource claims (resources.claims) of container "main"'),
    ],
    [
      main({ resources: { limits: { 'hugepages-2Mi': '4Mi' } } }),
      unsupported('huge pages (hugepages-2Mi) of container "main"'),
    ],
    [
      main({ env: [{ name: 'A', valueFrom: { fileKeyRef: { key: 'a' } } }] }),
      unsupported('variables from files (fileKeyRef) of container "main"'),
    ],
    [
      main({
        restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [1] } }],
      }),
      unsupported('restartPolicyRules of container "main"'),
    ],
    [main({ lifecycle: { stopSignal: 'SIGUSR1' } }), unsupported('lifecycle.stopSignal of container "main"')],
    [main({ restartPolicy: 'Never' }), unsupported('a restartPolicy of its own of container "main"')],
    [
      { hostUsers: false, volumes: [{ name: 'v', nfs: {} }] },
      unsupported('user namespaces (hostUsers: false); nfs (volume "v")'),
    ],
  ];
  for (const [spec, expected] of cases) {
    it(JSON.stringify(spec), () => assert.deepEqual(refusalOf(pod(spec), NODE), expected));
  }

  const without = { ...NODE, hasAppArmor: false };
  const profiles: readonly (readonly [object, boolean])[] = [
    [{ appArmorProfile: { type: 'RuntimeDefault' } }, true],
    [{ appArmorProfile: { type: 'Localhost', localhostProfile: 'x' } }, true],
    [{ appArmorProfile: { type: 'Unconfined' } }, false],
    [{}, false],
  ];
  for (const [securityContext, isRefused] of profiles) {
    it(`without AppArmor: ${JSON.stringify(securityContext)}`, () => {
      assert.deepEqual(
        refusalOf(pod({ securityContext }), without),
        isRefused
          ? { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' }
          : undefined,
      );
    });
  }
});

// Source of the expectations: kubelet, sysctl/allowlist_test.go, sysctl/safe_sysctls.go; Kubernetes, "Using sysctls in a
// Kubernetes Cluster".
describe('sysctls', () => {
  function refused(name: string, spec: object = {}, kernel = '6.1.0'): string | undefined {
    return sysctlRefusal(pod({ securityContext: { sysctls: [{ name, value: '1' }] }, ...spec }), kernel);
  }
  for (const name of [
    'kernel.shm_rmid_forced',
    'net.ipv4.ip_local_port_range',
    'net.ipv4.tcp_syncookies',
    'net.ipv4.ping_group_range',
    'net.ipv4.ip_unprivileged_port_start',
    'net.ipv4.ip_local_reserved_ports',
    'net.ipv4.tcp_keepalive_time',
    'net.ipv4.tcp_fin_timeout',
    'net.ipv4.tcp_keepalive_intvl',
    'net.ipv4.tcp_keepalive_probes',
    'net.ipv4.tcp_rmem',
    'net.ipv4.tcp_wmem',
    'net/ipv4/tcp_syncookies',
  ]) {
    it(`lets ${name} pass`, () => assert.equal(refused(name), undefined));
  }

  const cases: readonly (readonly [string, object, string, string])[] = [
    ['net.core.somaxconn', {}, '6.1.0', '"net.core.somaxconn" not allowlisted'],
    ['kernel.msgmax', {}, '6.1.0', '"kernel.msgmax" not allowlisted'],
    ['constructor', {}, '6.1.0', '"constructor" not allowlisted'],
    [
      'net/ipv4/tcp_syncookies',
      { hostNetwork: true },
      '6.1.0',
      '"net.ipv4.tcp_syncookies" not allowed with host net enabled',
    ],
    [
      'kernel.shm_rmid_forced',
      { hostIPC: true },
      '6.1.0',
      '"kernel.shm_rmid_forced" not allowed with host ipc enabled',
    ],
    ['net.ipv4.tcp_rmem', {}, '4.14.9', '"net.ipv4.tcp_rmem" not allowlisted'],
  ];
  for (const [name, spec, kernel, problem] of cases) {
    it(`refuses ${name} ${JSON.stringify(spec)} on ${kernel}`, () => {
      assert.equal(refused(name, spec, kernel), `forbidden sysctl: ${problem}`);
    });
  }

  it('writes names with dots, as sysctl does', () => {
    assert.equal(sysctlName('net.ipv4.conf.eno2/100.rp_filter'), 'net.ipv4.conf.eno2/100.rp_filter');
    assert.equal(sysctlName('net/ipv4/conf/eno2.100/rp_filter'), 'net.ipv4.conf.eno2/100.rp_filter');
    const sysctls = [{ name: 'net/ipv4/tcp_syncookies', value: '0' }];
    assert.deepEqual(sysctlsOf(pod({ securityContext: { sysctls } })), { 'net.ipv4.tcp_syncookies': '0' });
  });
});

describe('unknownFields', () => {
  const cases: readonly (readonly [object, readonly string[]])[] = [
    [makePod('a').spec, []],
    [{ futureThing: {}, containers: [] }, ['futureThing']],
    [
      { containers: [{ name: 'a' }, { name: 'b', securityContext: { gpuProfile: 'x', privileged: true } }] },
      ['containers[1].securityContext.gpuProfile'],
    ],
    [
      { initContainers: [{ name: 'a', livenessProbe: { httpGet: { port: 1, http3: true } } }] },
      ['initContainers[0].livenessProbe.httpGet.http3'],
    ],
    [{ nodeSelector: { anything: 'x' }, tolerations: [{ any: 1 }], affinity: { x: 1 } }, []],
    [{ volumes: [{ name: 'v', csi: {} }], hostUsers: false }, []],
    [{ constructor: 1, toString: 2 }, ['constructor', 'toString']],
    [
      { containers: [{ name: 'a', env: [{ name: 'A', valueFrom: { newRef: {} } }] }] },
      ['containers[0].env[0].valueFrom.newRef'],
    ],
  ];
  for (const [spec, expected] of cases) {
    it(JSON.stringify(expected), () => assert.deepEqual(unknownFields(spec), expected));
  }

  it('names no more than sixteen', () => {
    const spec = Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`field${index}`, 1]));
    assert.equal(unknownFields(spec).length, 16);
  });
});
