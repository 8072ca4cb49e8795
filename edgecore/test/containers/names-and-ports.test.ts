import assert from 'node:assert/strict';
import { podHostname, type PodHostname } from '../../src/containers/hostname.ts';
import { hostNetworkHostsFile, podHostsFile } from '../../src/containers/hosts-file.ts';
import { namespacesOf } from '../../src/containers/namespaces.ts';
import { portMappings } from '../../src/containers/ports.ts';
import { specHash } from '../../src/containers/spec-hash.ts';
import { PodError } from '../../src/pods/pod-error.ts';
import type { ContainerPort, Pod } from '../../src/pods/pod.ts';
import type { PortMapping } from '../../src/runtime/container-config.ts';
import { makePod } from '../../testing/pod-maker.ts';

const DOMAIN = 'cluster.local';

// Source of the expectations: kubelet, kubelet_pods_test.go TestGeneratePodHostNameAndDomain,
// TestTruncatePodHostname; util TestGetNodenameForKernel; Kubernetes, "Pod's hostname and subdomain fields".
describe('podHostname', () => {
  const long = `${'a'.repeat(62)}-${'b'.repeat(20)}`;
  const cases: readonly (readonly [string, string, Partial<Pod['spec']>, Partial<PodHostname>])[] = [
    ['its name', 'web-0', {}, { hostname: 'web-0', domain: '', kernelName: 'web-0' }],
    ['its hostname', 'web-0', { hostname: 'busybox-1' }, { hostname: 'busybox-1', domain: '' }],
    [
      'with a subdomain',
      'web-0',
      { hostname: 'busybox-1', subdomain: 'sub' },
      { hostname: 'busybox-1', domain: 'sub.default.svc.cluster.local', kernelName: 'busybox-1' },
    ],
    [
      'its full name to the kernel',
      'web-0',
      { subdomain: 'sub', setHostnameAsFQDN: true },
      { hostname: 'web-0', kernelName: 'web-0.sub.default.svc.cluster.local' },
    ],
    ['no full name without a subdomain', 'web-0', { setHostnameAsFQDN: true }, { kernelName: 'web-0' }],
    ['63 characters at most, none of them a dash at the end', long, {}, { hostname: 'a'.repeat(62) }],
    [
      'one in place of all others',
      'web-0',
      { hostname: 'x', subdomain: 'sub', hostnameOverride: 'here.example.com' },
      { hostname: 'here.example.com', domain: '', kernelName: 'here.example.com' },
    ],
  ];
  for (const [what, name, spec, expected] of cases) {
    it(what, () => {
      const found = podHostname(makePod(name, { spec }), DOMAIN);
      assert.deepEqual({ ...found, ...expected }, found);
    });
  }

  const subdomain = 's'.repeat(35);
  const refusals: readonly (readonly [Partial<Pod['spec']>, RegExp])[] = [
    [{ hostname: 'a.b' }, /pod Hostname "a\.b" is not a valid DNS label/],
    [{ subdomain: '-a' }, /pod Subdomain "-a" is not a valid DNS label/],
    [{ hostnameOverride: 'A' }, /pod HostnameOverride "A" is not a valid DNS subdomain/],
    [
      { subdomain, setHostnameAsFQDN: true },
      /failed to construct FQDN .* is too long \(64 characters is the max, 67 characters requested\)/,
    ],
  ];
  for (const [spec, message] of refusals) {
    it(String(message), () => {
      assert.throws(
        () => podHostname(makePod('web-0', { spec }), DOMAIN),
        (error) => {
          assert.ok(error instanceof PodError);
          assert.equal(error.reason, 'FailedCreatePodSandBox');
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it('lets 64 characters of a full name pass', () => {
    const spec = { subdomain: 's'.repeat(32), setHostnameAsFQDN: true };
    assert.equal(podHostname(makePod('web-0', { spec }), DOMAIN).kernelName.length, 64);
  });
});

// Source of the expectations: kubelet, kubelet_pods_test.go TestManagedHostsFileContent, TestNodeHostsFileContent.
describe('/etc/hosts of a pod', () => {
  const START =
    '# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' +
    'fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n';
  const ALIASES = [
    { ip: '123.45.67.89', hostnames: ['foo', 'bar'] },
    { ip: '456.78.90.123', hostnames: ['park'] },
  ];
  const LINES = '\n# Entries added by HostAliases.\n123.45.67.89\tfoo\tbar\n456.78.90.123\tpark\n';

  it('names the pod', () => {
    assert.equal(podHostsFile(['123.45.67.89'], 'podFoo', ''), `${START}123.45.67.89\tpodFoo\n`);
  });
  it('names it in full, under each address, with its aliases', () => {
    assert.equal(
      podHostsFile(['203.0.113.1', 'fd00::6'], 'podFoo', 'sub.domain', ALIASES),
      `${START}203.0.113.1\tpodFoo.sub.domain\tpodFoo\nfd00::6\tpodFoo.sub.domain\tpodFoo\n${LINES}`,
    );
  });
  it('is the host’s on its network', () => {
    assert.equal(
      hostNetworkHostsFile('127.0.0.1 localhost\n', ALIASES),
      `# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n${LINES}`,
    );
  });
});

describe('portMappings', () => {
  function mapped(ports: readonly ContainerPort[], spec: Partial<Pod['spec']> = {}): readonly PortMapping[] {
    return portMappings(makePod('web', { spec: { containers: [{ name: 'main', ports }], ...spec } }));
  }
  const web = { containerPort: 80, hostPort: 8080 };
  const mapping = { protocol: 'TCP', containerPort: 80, hostPort: 8080, hostIp: '' } as const;

  it('maps those with a port of the host', () => {
    assert.deepEqual(mapped([{ containerPort: 9000 }, web]), [mapping]);
  });
  it('keeps protocols and addresses apart', () => {
    const ports = [web, { ...web, protocol: 'UDP' as const }, { ...web, hostIP: '127.0.0.1' }, web];
    assert.deepEqual(mapped(ports), [
      mapping,
      { ...mapping, protocol: 'UDP' },
      { ...mapping, hostIp: '127.0.0.1' },
    ]);
  });
  it('maps none on the host’s network', () => assert.deepEqual(mapped([web], { hostNetwork: true }), []));
  it('maps those of sidecars, not of other init containers', () => {
    const initContainers = [
      { name: 'side', restartPolicy: 'Always', ports: [{ containerPort: 1, hostPort: 81 }] },
      { name: 'init', ports: [{ containerPort: 2, hostPort: 82 }] },
    ];
    assert.deepEqual(
      mapped([web], { initContainers }).map(({ hostPort }) => hostPort),
      [81, 8080],
    );
  });
});

describe('namespacesOf', () => {
  const cases: readonly (readonly [Partial<Pod['spec']>, ReturnType<typeof namespacesOf>])[] = [
    [{}, { network: 'pod', pid: 'container', ipc: 'pod' }],
    [{ shareProcessNamespace: true }, { network: 'pod', pid: 'pod', ipc: 'pod' }],
    [
      { hostPID: true, hostIPC: true },
      { network: 'pod', pid: 'node', ipc: 'node' },
    ],
    [{ hostNetwork: true }, { network: 'node', pid: 'container', ipc: 'pod' }],
  ];
  for (const [spec, expected] of cases) {
    it(JSON.stringify(spec), () => assert.deepEqual(namespacesOf({ containers: [], ...spec }), expected));
  }
});

describe('specHash', () => {
  it('is of name and image, and of nothing else', () => {
    const main = { name: 'main', image: 'a:1' };
    const hash = specHash(main);
    assert.equal(specHash({ ...main, args: ['x'], env: [{ name: 'A', value: '1' }] }), hash);
    assert.notEqual(specHash({ ...main, image: 'a:2' }), hash);
    assert.notEqual(specHash({ ...main, name: 'other' }), hash);
  });
  it('stays what it is: containers of a release before are to match', () => {
    assert.equal(specHash({ name: 'main', image: 'registry.example/app:1' }), '1-fb892e7fccbdec46');
  });
});
