import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import type { ContainerInput } from '../../src/containers/pod-configs.ts';
import { readNodeTraits } from '../../src/containers/node-traits.ts';
import { ContainerError } from '../../src/pods/container-error.ts';
import { PodError } from '../../src/pods/pod-error.ts';
import type { Pod, PodContainer } from '../../src/pods/pod.ts';
import { makePod } from '../../testing/pod-maker.ts';
import { configSite } from './config-site.ts';

const IMAGE = { id: 'sha256:1', tags: ['app:1'], digests: [], sizeBytes: 1, uid: 0, pinned: false };

function input(pod: Pod, container: PodContainer, more: Partial<ContainerInput> = {}): ContainerInput {
  return {
    pod,
    container,
    attempt: 0,
    image: IMAGE,
    env: new Map(),
    mounts: [],
    volumeGroups: [],
    podIps: ['10.1.2.3'],
    ...more,
  };
}

describe('PodConfigurator', () => {
  let dir: TempDir;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(() => dir.remove());

  it('makes a sandbox of a plain pod', () => {
    const { configs } = configSite(dir.path, { pods: { clusterDns: '10.96.0.10' } });
    const pod = makePod('web', {
      metadata: { labels: { app: 'shop' }, annotations: { note: 'x' } },
      spec: {
        containers: [{ name: 'main', image: 'app:1', ports: [{ containerPort: 80, hostPort: 8080 }] }],
      },
    });
    assert.deepEqual(configs.sandbox(pod, 2, '/kubepods/besteffort/poduid-web'), {
      uid: 'uid-web',
      namespace: 'default',
      name: 'web',
      attempt: 2,
      hostname: 'web',
      logDirectory: '/var/log/pods/default_web_uid-web',
      dns: {
        servers: ['10.96.0.10'],
        searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
        options: ['ndots:5'],
      },
      portMappings: [{ protocol: 'TCP', containerPort: 80, hostPort: 8080, hostIp: '' }],
      containerPorts: [{ protocol: 'TCP', port: 80 }],
      labels: { app: 'shop' },
      annotations: { note: 'x' },
      cgroupParent: '/kubepods/besteffort/poduid-web',
      sysctls: {},
      namespaces: { network: 'pod', ipc: 'pod', pid: 'container' },
      security: {
        privileged: false,
        capabilities: { add: [], drop: [] },
        supplementalGroups: [],
        readOnlyRootFilesystem: false,
        noNewPrivileges: false,
        maskedPaths: [],
        readonlyPaths: [],
        seccomp: { type: 'runtime-default' },
      },
      resources: { cpuShares: 2 },
      runtimeHandler: '',
    });
  });

  it('leaves the hostname of a pod on the host’s network unset', () => {
    const { configs } = configSite(dir.path);
    const pod = makePod('web', { spec: { hostNetwork: true, hostname: 'x' } });
    assert.equal(configs.sandbox(pod, 0, '').hostname, '');
  });

  it('takes the handler of a runtime class from the configuration', () => {
    const { configs } = configSite(dir.path, { pods: { runtimeClasses: { kata: 'kata-qemu' } } });
    const pod = makePod('web', { spec: { runtimeClassName: 'kata' } });
    assert.equal(configs.refusal(pod), undefined);
    assert.equal(configs.sandbox(pod, 0, '').runtimeHandler, 'kata-qemu');
    assert.equal(
      configs.refusal(makePod('b', { spec: { runtimeClassName: 'toString' } }))?.reason,
      'RuntimeClassNotSupported',
    );
  });

  it('makes a container, with everything in its place', async () => {
    const { configs } = configSite(dir.path);
    const container: PodContainer = {
      name: 'main',
      image: 'app:1',
      command: ['run', '$(A)'],
      args: ['$(B)', '$$(A)'],
      workingDir: '/srv',
      tty: true,
      stdin: true,
      terminationMessagePolicy: 'FallbackToLogsOnError',
    };
    const pod = makePod('web', { spec: { containers: [container] } });
    const config = await configs.container(
      input(pod, container, {
        attempt: 3,
        env: new Map([['A', '1']]),
        mounts: [{ hostPath: '/data', containerPath: '/var/data' }],
      }),
    );
    const folder = path.join(dir.path, 'pods/uid-web');
    const messageFile = path.join(folder, 'containers/main/3.message');
    assert.deepEqual(
      { ...config, security: undefined },
      {
        name: 'main',
        attempt: 3,
        imageRef: 'sha256:1',
        image: 'app:1',
        command: ['run', '1'],
        args: ['$(B)', '$(A)'],
        workingDir: '/srv',
        env: [{ key: 'A', value: '1' }],
        mounts: [
          { hostPath: '/data', containerPath: '/var/data' },
          { hostPath: path.join(folder, 'etc-hosts'), containerPath: '/etc/hosts' },
          { hostPath: messageFile, containerPath: '/dev/termination-log' },
        ],
        devices: [],
        logPath: 'main/3.log',
        stdin: true,
        stdinOnce: false,
        tty: true,
        namespaces: { network: 'pod', ipc: 'pod', pid: 'container' },
        resources: { cpuShares: 2, oomScoreAdj: 1000 },
        security: undefined,
        notes: {
          specHash: configs.specHash(container),
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'FallbackToLogsOnError',
          terminationMessageFile: messageFile,
        },
      },
    );
    assert.equal((await stat(messageFile)).mode & 0o777, 0o666);
    assert.equal((await stat(messageFile)).size, 0);
    assert.match(await readFile(path.join(folder, 'etc-hosts'), 'utf8'), /^10\.1\.2\.3\tweb$/m);
    assert.equal((await stat(path.join(folder, 'etc-hosts'))).mode & 0o777, 0o644);
  });

  it('mounts no /etc/hosts over one of the container’s own, and none before there is an address', async () => {
    const { configs } = configSite(dir.path);
    const container = { name: 'main', terminationMessagePath: '/tmp/end' };
    const pod = makePod('web', { spec: { containers: [container] } });
    const own = { ...container, volumeMounts: [{ name: 'v', mountPath: '/etc/hosts' }] };
    const paths = async (given: ContainerInput): Promise<readonly string[]> =>
      (await configs.container(given)).mounts.map(({ containerPath }) => containerPath);
    assert.deepEqual(await paths(input(pod, own)), ['/tmp/end']);
    assert.deepEqual(await paths(input(pod, container, { podIps: [] })), ['/tmp/end']);
    const host = makePod('web', { spec: { hostNetwork: true, containers: [container] } });
    assert.deepEqual(await paths(input(host, container, { podIps: [] })), ['/etc/hosts', '/tmp/end']);
  });

  it('puts the host’s file and the aliases into pods on its network', async () => {
    const hostsFile = path.join(dir.path, 'hosts');
    await writeFile(hostsFile, '127.0.0.1 localhost\n');
    const { configs } = configSite(dir.path, { hostsFile });
    const container = { name: 'main' };
    const hostAliases = [{ ip: '192.0.2.9', hostnames: ['db'] }];
    const pod = makePod('web', { spec: { hostNetwork: true, hostAliases, containers: [container] } });
    await configs.container(input(pod, container));
    assert.equal(
      await readFile(path.join(dir.path, 'pods/uid-web/etc-hosts'), 'utf8'),
      '# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n\n# Entries added by HostAliases.\n192.0.2.9\tdb\n',
    );
  });

  it('writes /etc/hosts in place: containers that run have it mounted', async () => {
    const { configs } = configSite(dir.path);
    const container = { name: 'main' };
    const pod = makePod('web', { spec: { containers: [container] } });
    const file = path.join(dir.path, 'pods/uid-web/etc-hosts');
    await configs.container(input(pod, container));
    const before = await stat(file);
    await configs.container(input(pod, container, { attempt: 1 }));
    const same = await stat(file);
    await configs.container(input(pod, container, { attempt: 2, podIps: ['10.9.9.9'] }));
    const changed = await stat(file);
    assert.deepEqual([same.ino, changed.ino], [before.ino, before.ino]);
    assert.equal(same.mtimeMs, before.mtimeMs, 'written although it was the same');
    assert.match(await readFile(file, 'utf8'), /^10\.9\.9\.9\tweb$/m);
  });

  it('keeps the last words of a few attempts, and an empty file for this one', async () => {
    const { configs } = configSite(dir.path);
    const container = { name: 'main' };
    const pod = makePod('web', { spec: { containers: [container] } });
    const folder = path.join(dir.path, 'pods/uid-web/containers/main');
    for (let attempt = 0; attempt < 12; attempt += 1) {
      await configs.container(input(pod, container, { attempt }));
      await writeFile(path.join(folder, `${attempt}.message`), 'bye');
    }
    await writeFile(path.join(folder, 'other'), 'stays');
    await configs.container(input(pod, container, { attempt: 12 }));
    assert.deepEqual((await readdir(folder)).toSorted(), [
      '10.message',
      '11.message',
      '12.message',
      '8.message',
      '9.message',
      'other',
    ]);
    assert.equal(await readFile(path.join(folder, '11.message'), 'utf8'), 'bye');
    assert.equal(await readFile(path.join(folder, '12.message'), 'utf8'), '');
  });

  it('writes nothing for a container that must not run', async () => {
    const { configs } = configSite(dir.path);
    const container = { name: 'main', securityContext: { runAsNonRoot: true } };
    const pod = makePod('web', { spec: { containers: [container] } });
    await assert.rejects(configs.container(input(pod, container)), (error) => {
      assert.ok(error instanceof ContainerError);
      assert.equal(error.reason, 'CreateContainerConfigError');
      return true;
    });
    await assert.rejects(stat(path.join(dir.path, 'pods')), { code: 'ENOENT' });
  });

  it('says what of the disk is in its way', async () => {
    const { configs } = configSite(dir.path);
    await writeFile(path.join(dir.path, 'pods'), 'a file');
    const container = { name: 'main' };
    const pod = makePod('web', { spec: { containers: [container] } });
    await assert.rejects(configs.container(input(pod, container)), (error) => {
      assert.ok(error instanceof ContainerError);
      assert.match(error.message, /ENOTDIR|EEXIST/);
      return true;
    });
  });

  it('says a warning about a pod once, however often its sandbox is made', () => {
    const { configs, events } = configSite(dir.path);
    for (const attempt of [0, 1, 1]) configs.sandbox(makePod('web'), attempt, '');
    configs.sandbox(makePod('other'), 0, '');
    assert.deepEqual(
      events.map(({ pod, reason }) => [pod, reason]),
      [
        ['web', 'MissingClusterDNS'],
        ['other', 'MissingClusterDNS'],
      ],
    );
  });

  it('says what it ignores of a pod that it runs, again when that changes', () => {
    const { configs, events } = configSite(dir.path);
    const spec = { futureThing: 1 } as Partial<Pod['spec']>;
    assert.equal(configs.refusal(makePod('web', { spec })), undefined);
    assert.equal(configs.refusal(makePod('web', { spec })), undefined);
    const debugged = { ...spec, ephemeralContainers: [{ name: 'debug' }] };
    assert.equal(configs.refusal(makePod('web', { spec: debugged })), undefined);
    assert.deepEqual(
      events.map(({ reason, message }) => `${reason}: ${message}`),
      [
        'UnknownFields: fields that this release of the edge does not know are ignored: futureThing',
        'EphemeralContainersUnsupported: the node does not run ephemeral containers: debug',
      ],
    );
  });

  it('does not make a sandbox without the resolv.conf that it shall follow', () => {
    const { configs } = configSite(dir.path, { pods: { resolvConf: path.join(dir.path, 'none') } });
    assert.throws(
      () => configs.sandbox(makePod('web'), 0, ''),
      (error) => {
        assert.ok(error instanceof PodError);
        assert.equal(error.reason, 'FailedCreatePodSandBox');
        assert.match(error.message, /^Failed to create pod sandbox: ENOENT/);
        assert.equal(error.isFinal, false);
        return true;
      },
    );
  });
});

describe('readNodeTraits', () => {
  it('reads them of a machine', async () => {
    const dir = await makeTempDir();
    try {
      const file = async (name: string, text: string): Promise<void> => {
        await mkdir(path.dirname(path.join(dir.path, name)), { recursive: true });
        await writeFile(path.join(dir.path, name), text);
      };
      await file('/proc/self/mountinfo', '31 25 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n');
      await file('/sys/fs/cgroup/cgroup.controllers', 'cpu memory hugetlb\n');
      await file('/sys/module/apparmor/parameters/enabled', 'Y\n');
      await mkdir(path.join(dir.path, '/sys/kernel/mm/hugepages/hugepages-2048kB'), { recursive: true });
      await mkdir(path.join(dir.path, '/sys/kernel/mm/hugepages/hugepages-1048576kB'));
      await symlink('x', path.join(dir.path, '/sys/kernel/mm/hugepages/other'));
      const traits = readNodeTraits(dir.path);
      assert.deepEqual(
        { ...traits, hugePageSizes: [...traits.hugePageSizes].toSorted() },
        {
          memoryBytes: traits.memoryBytes,
          kernel: traits.kernel,
          hasAppArmor: true,
          cgroupVersion: 2,
          hugePageSizes: ['1GB', '2MB'],
        },
      );
      assert.ok(traits.memoryBytes > 2 ** 27);
      assert.match(traits.kernel, /^\d+\.\d+/);
      const bare = readNodeTraits(path.join(dir.path, 'nowhere'));
      assert.deepEqual([bare.hasAppArmor, bare.cgroupVersion, bare.hugePageSizes], [false, 1, []]);
    } finally {
      await dir.remove();
    }
  });
});
