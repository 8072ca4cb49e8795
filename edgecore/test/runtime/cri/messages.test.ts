import assert from 'node:assert/strict';
import { ContainerConfig as ContainerMessage } from '../../../src/cri/container-messages.ts';
import { PodSandboxConfig } from '../../../src/cri/sandbox-messages.ts';
import { containerMessage, sandboxMessage } from '../../../src/runtime/cri/config-message.ts';
import { notesOf } from '../../../src/runtime/cri/labels.ts';
import { PLAIN_SECURITY, sampleContainer, sampleSandbox } from './sample-configs.ts';

/** As a runtime reads it. */
const sandboxSent = (
  change: Parameters<typeof sampleSandbox>[0],
): ReturnType<typeof PodSandboxConfig.decode> =>
  PodSandboxConfig.decode(PodSandboxConfig.encode(sandboxMessage(sampleSandbox(change), 'edge-1')));
const containerSent = (
  change: Parameters<typeof sampleContainer>[0],
): ReturnType<typeof ContainerMessage.decode> =>
  ContainerMessage.decode(
    ContainerMessage.encode(containerMessage(sampleSandbox(), sampleContainer(change), 'edge-1')),
  );

describe('what a runtime is told of a sandbox', () => {
  it('is who it is, and labels by which tools know pods', () => {
    const sent = sandboxSent({ attempt: 2 });
    assert.deepEqual(sent.metadata, { name: 'web', uid: 'uid-1', namespace: 'default', attempt: 2 });
    assert.deepEqual(sent.labels, {
      app: 'web',
      'io.kubernetes.pod.name': 'web',
      'io.kubernetes.pod.namespace': 'default',
      'io.kubernetes.pod.uid': 'uid-1',
      'hawser.dev/managed-by': 'edge-1',
    });
    assert.deepEqual(sent.annotations, { note: 'of the pod' });
    assert.equal(sent.hostname, 'web');
    assert.equal(sent.logDirectory, '/var/log/pods/default_web_uid-1');
  });

  it('is no label of the pod that says it is another one’s', () => {
    const { labels } = sandboxSent({
      labels: { 'hawser.dev/managed-by': 'x', 'io.kubernetes.pod.uid': 'y' },
    });
    assert.equal(labels['hawser.dev/managed-by'], 'edge-1');
    assert.equal(labels['io.kubernetes.pod.uid'], 'uid-1');
  });

  for (const [what, change, field, expected] of [
    ['no DNS: the host’s', { dns: undefined }, 'dnsConfig', undefined],
    [
      'DNS',
      { dns: { servers: ['10.0.0.10'], searches: ['svc'], options: ['ndots:5'] } },
      'dnsConfig',
      { servers: ['10.0.0.10'], searches: ['svc'], options: ['ndots:5'] },
    ],
    [
      'ports',
      {
        portMappings: [
          { protocol: 'TCP', containerPort: 80, hostPort: 8080, hostIp: '' },
          { protocol: 'UDP', containerPort: 53, hostPort: 53, hostIp: '127.0.0.1' },
          { protocol: 'SCTP', containerPort: 1, hostPort: 2, hostIp: '' },
        ],
      },
      'portMappings',
      [
        { protocol: 0, containerPort: 80, hostPort: 8080, hostIp: '' },
        { protocol: 1, containerPort: 53, hostPort: 53, hostIp: '127.0.0.1' },
        { protocol: 2, containerPort: 1, hostPort: 2, hostIp: '' },
      ],
    ],
  ] as const) {
    it(`is ${what}`, () => assert.deepEqual(sandboxSent(change)[field], expected));
  }

  it('is its cgroup, its sysctls, its security', () => {
    const { linux } = sandboxSent({
      cgroupParent: '/kubepods/pod1',
      sysctls: { 'net.ipv4.ip_forward': '1' },
      resources: { cpuShares: 102, memoryLimitBytes: 64 },
      namespaces: { network: 'node', pid: 'pod', ipc: 'node' },
      security: { ...PLAIN_SECURITY, runAsUser: 0, runAsGroup: 5, supplementalGroups: [7], privileged: true },
    });
    assert.equal(linux?.cgroupParent, '/kubepods/pod1');
    assert.deepEqual(linux.sysctls, { 'net.ipv4.ip_forward': '1' });
    assert.deepEqual([linux.resources?.cpuShares, linux.resources?.memoryLimitInBytes], [102, 64]);
    const security = linux.securityContext;
    assert.deepEqual(security?.namespaceOptions, { network: 2, pid: 0, ipc: 2 });
    // User 0 was asked for, and is not the same as none.
    assert.deepEqual([security.runAsUser, security.runAsGroup], [{ value: 0 }, { value: 5 }]);
    assert.deepEqual([security.supplementalGroups, security.privileged], [[7], true]);
    assert.deepEqual(security.seccomp, { profileType: 1, localhostRef: '' });
  });
});

describe('what a runtime is told of a container', () => {
  it('is who it is, and what has to be known of it later', () => {
    const sent = containerSent({ attempt: 3, image: 'busybox', imageRef: 'sha256:1' });
    assert.deepEqual(sent.metadata, { name: 'main', attempt: 3 });
    assert.deepEqual(sent.image, { image: 'sha256:1', userSpecifiedImage: 'busybox' });
    assert.deepEqual(sent.labels, {
      'io.kubernetes.container.name': 'main',
      'io.kubernetes.pod.name': 'web',
      'io.kubernetes.pod.namespace': 'default',
      'io.kubernetes.pod.uid': 'uid-1',
      'hawser.dev/managed-by': 'edge-1',
    });
    assert.deepEqual(sent.annotations, {
      'io.kubernetes.container.hash': '1-abc',
      'io.kubernetes.container.restartCount': '3',
      'io.kubernetes.container.terminationMessagePath': '/dev/termination-log',
      'io.kubernetes.container.terminationMessagePolicy': 'File',
      'hawser.dev/termination-message-file': '/var/lib/edge/pods/uid-1/containers/main/0',
      'hawser.dev/image': 'busybox',
    });
  });

  for (const notes of [
    sampleContainer().notes,
    { specHash: '', terminationMessagePath: '', terminationMessagePolicy: 'FallbackToLogsOnError' },
  ]) {
    it(`are notes that come back: ${JSON.stringify(notes)}`, () => {
      assert.deepEqual(notesOf(containerSent({ notes }).annotations), notes);
    });
  }

  it('are no notes where it has none of ours', () => {
    const notes = { specHash: '', terminationMessagePath: '', terminationMessagePolicy: '' };
    assert.deepEqual(notesOf({}), notes);
  });

  it('is its command, environment, log, input', () => {
    const sent = containerSent({
      command: ['/bin/a'],
      args: ['', 'b'],
      workingDir: '/w',
      env: [{ key: 'K', value: 'v' }],
      stdin: true,
      stdinOnce: true,
      tty: true,
    });
    assert.deepEqual(
      [
        sent.command,
        sent.args,
        sent.workingDir,
        sent.envs,
        sent.logPath,
        sent.stdin,
        sent.stdinOnce,
        sent.tty,
      ],
      [['/bin/a'], ['', 'b'], '/w', [{ key: 'K', value: 'v' }], 'main/0.log', true, true, true],
    );
  });

  it('are its mounts and devices', () => {
    const plain = { readonly: false, selinuxRelabel: false, propagation: 0, recursiveReadOnly: false };
    const sent = containerSent({
      mounts: [
        { hostPath: '/a', containerPath: '/b' },
        {
          hostPath: '/c',
          containerPath: '/d',
          readOnly: true,
          recursiveReadOnly: true,
          propagation: 'private',
        },
        { hostPath: '/e', containerPath: '/f', propagation: 'host-to-container' },
        { hostPath: '/g', containerPath: '/h', propagation: 'bidirectional' },
      ],
      devices: [{ hostPath: '/dev/null', containerPath: '/dev/n', permissions: 'rw' }],
    });
    assert.deepEqual(sent.mounts, [
      { ...plain, hostPath: '/a', containerPath: '/b' },
      { ...plain, hostPath: '/c', containerPath: '/d', readonly: true, recursiveReadOnly: true },
      { ...plain, hostPath: '/e', containerPath: '/f', propagation: 1 },
      { ...plain, hostPath: '/g', containerPath: '/h', propagation: 2 },
    ]);
    assert.deepEqual(sent.devices, [{ hostPath: '/dev/null', containerPath: '/dev/n', permissions: 'rw' }]);
  });

  it('are its resources', () => {
    const { linux } = containerSent({
      resources: {
        cpuPeriod: 100_000,
        cpuQuota: 50_000,
        cpuShares: 512,
        memoryLimitBytes: 2 ** 33,
        oomScoreAdj: -997,
        hugepageLimits: [{ pageSize: '2MB', limit: 4 }],
        unified: { 'memory.oom.group': '1' },
      },
    });
    assert.deepEqual(linux?.resources, {
      cpuPeriod: 100_000,
      cpuQuota: 50_000,
      cpuShares: 512,
      memoryLimitInBytes: 2 ** 33,
      oomScoreAdj: -997,
      hugepageLimits: [{ pageSize: '2MB', limit: 4 }],
      unified: { 'memory.oom.group': '1' },
    });
  });

  it('is what it may do', () => {
    const { linux } = containerSent({
      namespaces: { network: 'pod', pid: 'container', ipc: 'pod' },
      security: {
        privileged: false,
        capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
        runAsUser: 1000,
        runAsUsername: 'app',
        runAsGroup: 0,
        supplementalGroups: [1, 2],
        readOnlyRootFilesystem: true,
        noNewPrivileges: true,
        maskedPaths: ['/proc/kcore'],
        readonlyPaths: ['/proc/sys'],
        seccomp: { type: 'localhost', localhost: '/profiles/a.json' },
        appArmor: { type: 'runtime-default' },
        seLinux: { user: 'u', role: 'r', type: 't', level: 'l' },
      },
    });
    assert.deepEqual(linux?.securityContext, {
      capabilities: { addCapabilities: ['NET_ADMIN'], dropCapabilities: ['ALL'] },
      privileged: false,
      namespaceOptions: { network: 0, pid: 1, ipc: 0 },
      selinuxOptions: { user: 'u', role: 'r', type: 't', level: 'l' },
      runAsUser: { value: 1000 },
      runAsUsername: 'app',
      readonlyRootfs: true,
      supplementalGroups: [1, 2],
      noNewPrivs: true,
      runAsGroup: { value: 0 },
      maskedPaths: ['/proc/kcore'],
      readonlyPaths: ['/proc/sys'],
      seccomp: { profileType: 2, localhostRef: '/profiles/a.json' },
      apparmor: { profileType: 0, localhostRef: '' },
    });
  });
});
