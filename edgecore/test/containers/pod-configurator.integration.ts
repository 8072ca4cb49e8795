import assert from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { CgroupManager } from '../../src/cgroups/cgroup-manager.ts';
import { readNodeTraits } from '../../src/containers/node-traits.ts';
import { ContainerError } from '../../src/pods/container-error.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { PodFolders } from '../../src/pods/pod-folders.ts';
import type { ContainerConfig } from '../../src/runtime/container-config.ts';
import { CriRuntime } from '../../src/runtime/cri/cri-runtime.ts';
import { openContainerdSite, type ContainerdSite } from '../../testing/containerd/containerd-site.ts';
import { TEST_IMAGES } from '../../testing/containerd/test-images.ts';
import { makePod } from '../../testing/pod-maker.ts';
import { configSite } from './config-site.ts';

const { signal } = new AbortController();

/** A container of a pod that runs, and what was asked for. */
interface Running {
  readonly id: string;
  readonly config: ContainerConfig;
  readonly cgroup: string;
}

describe('what a container sees of its configuration', function () {
  this.timeout(60_000);
  let site: ContainerdSite | undefined;
  let runtime: CriRuntime;
  let cgroups: CgroupManager;
  let dataDir: string;

  before(async function () {
    site = await openContainerdSite(this);
    runtime = new CriRuntime({ endpoint: site.endpoint, log: silentLogger });
    await runtime.start();
    cgroups = new CgroupManager({
      driver: 'cgroupfs',
      root: site.cgroupRoot,
      marksDir: path.join(site.dir, 'cgroups'),
      log: silentLogger,
    });
    await cgroups.start();
    dataDir = path.join(site.dir, 'edge');
    await mkdir(dataDir, { recursive: true });
  });

  after(async () => {
    if (site === undefined) return; // skipped
    try {
      await runtime.stop();
    } finally {
      await site.close();
    }
  });

  /** Runs the first container of a pod, by the parts that the pod's worker would use. */
  async function run(pod: Pod): Promise<Running> {
    const { configs } = configSite(dataDir, { traits: readNodeTraits(), pods: { clusterDns: '10.96.0.10' } });
    const [container] = pod.spec.containers;
    assert.ok(container !== undefined);
    const image = await runtime.images.status(container.image ?? '');
    assert.ok(image !== undefined);
    const cgroup = await cgroups.ensure(pod);
    assert.notEqual(cgroup, '');
    const sandbox = {
      ...configs.sandbox(pod, 0, cgroup),
      logDirectory: new PodFolders({ dataDir, logRoot: path.join(dataDir, 'logs') }).logs(pod),
    };
    await mkdir(sandbox.logDirectory, { recursive: true });
    const sandboxId = await runtime.createSandbox(sandbox, signal);
    const podIps = (await runtime.get(pod.metadata.uid))?.sandboxes[0]?.ips ?? [];
    const env = await configs.environment(pod, container, podIps);
    const config = await configs.container({
      pod,
      container,
      attempt: 0,
      image,
      env,
      mounts: [],
      volumeGroups: [],
      podIps,
    });
    const id = await runtime.createContainer(sandboxId, sandbox, config, signal);
    await runtime.startContainer(id, signal);
    return { id, config, cgroup };
  }

  async function shell({ id }: Running, script: string): Promise<string> {
    const done = await runtime.exec(id, ['sh', '-c', script], 10_000, signal);
    assert.equal(done.exitCode, 0, done.stderr);
    return done.stdout.trim();
  }

  it('names, users, limits, files and variables are those of its spec', async () => {
    const pod = makePod('web', {
      uid: '5a9c61c6-0001-4c59-a0ae-2f0a1b2c3d4e',
      spec: {
        hostname: 'front',
        subdomain: 'shop',
        hostAliases: [{ ip: '192.0.2.7', hostnames: ['db', 'db.test'] }],
        dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
        securityContext: {
          runAsUser: 1001,
          runAsGroup: 3000,
          supplementalGroups: [4000],
          fsGroup: 5000,
          sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '80' }],
        },
        containers: [
          {
            name: 'main',
            image: TEST_IMAGES.busybox,
            command: ['sh', '-c'],
            args: ["echo 'I am $(NAME), $$(NAME)' > $(OUT); exec sleep 600"],
            workingDir: '/tmp',
            resources: { requests: { cpu: '100m', memory: '32Mi' }, limits: { cpu: '500m', memory: '64Mi' } },
            env: [
              { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory' } } },
              { name: 'OUT', value: '/dev/termination-log' },
              { name: 'MIXED', value: '$(NAME)@$(IP)' },
            ],
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
      },
    });
    const running = await run(pod);

    const messageFile = running.config.notes.terminationMessageFile ?? '';
    await eventually(
      'the container has said something',
      async () => (await readFile(messageFile, 'utf8')) !== '',
    );
    assert.equal(await readFile(messageFile, 'utf8'), 'I am web, $(NAME)\n');
    assert.equal(await shell(running, 'hostname'), 'front');
    assert.equal(await shell(running, 'pwd'), '/tmp');
    assert.equal(await shell(running, 'id -u; id -g; id -G'), '1001\n3000\n3000 4000 5000');
    const [ip, mixed] = (await shell(running, 'echo $IP; echo $MIXED')).split('\n');
    assert.match(ip ?? '', /^10\./);
    assert.equal(mixed, `web@${ip}`);
    assert.equal(await shell(running, 'echo $MEM'), String(64 * 2 ** 20));
    assert.deepEqual((await shell(running, 'grep -E "front|db" /etc/hosts')).split('\n'), [
      `${ip}\tfront.shop.default.svc.cluster.local\tfront`,
      '192.0.2.7\tdb\tdb.test',
    ]);
    assert.deepEqual((await shell(running, 'cat /etc/resolv.conf')).split('\n'), [
      'search default.svc.cluster.local svc.cluster.local cluster.local',
      'nameserver 10.96.0.10',
      'options ndots:2',
    ]);
    assert.equal(await shell(running, 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start'), '80');
    const status = await shell(running, 'grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status');
    assert.deepEqual(
      status.split('\n').map((line) => line.split(/\s+/)[1]),
      ['0000000000000000', '0000000000000000', '1'],
    );
    assert.equal(await shell(running, 'cat /proc/keys | wc -c'), '0', 'a masked path shows something');

    await itsCgroup(running, { shares: '102', quota: '50000', memory: String(64 * 2 ** 20) });
    assert.ok(Number(await shell(running, 'cat /proc/self/oom_score_adj')) > 0);
    await end(pod);
  });

  it('a user of the image, and one that it must not have', async () => {
    const spec = (image: string): Partial<Pod['spec']> => ({
      securityContext: { runAsNonRoot: true },
      containers: [{ name: 'main', image, command: ['sleep', '600'] }],
    });
    const numbered = makePod('numbered', { uid: 'uid-numbered', spec: spec(TEST_IMAGES.as1000) });
    assert.equal(await shell(await run(numbered), 'id -u'), '1000');
    await end(numbered);
    for (const [image, message] of [
      [TEST_IMAGES.busybox, /image will run as root/],
      [TEST_IMAGES.asApp, /image has non-numeric user \(app\), cannot verify user is non-root/],
    ] as const) {
      const pod = makePod('refused', { uid: `uid-${image.length}`, spec: spec(image) });
      await assert.rejects(run(pod), (error) => {
        assert.ok(error instanceof ContainerError);
        assert.equal(error.reason, 'CreateContainerConfigError');
        assert.match(error.message, message);
        return true;
      });
      await end(pod);
    }
  });

  it('the host’s network and processes, where it asks for them', async () => {
    const pod = makePod('agent', {
      uid: 'uid-agent',
      spec: {
        hostNetwork: true,
        hostPID: true,
        containers: [{ name: 'main', image: TEST_IMAGES.busybox, command: ['sleep', '600'] }],
      },
    });
    const running = await run(pod);
    assert.equal(await shell(running, 'readlink /proc/self/ns/net'), readlinkSync('/proc/self/ns/net'));
    assert.match(
      await shell(running, 'cat /etc/hosts'),
      /^# Kubernetes-managed hosts file \(host network\)\./,
    );
    assert.equal(
      await shell(running, `cat /proc/${process.pid}/comm`),
      readFileSync('/proc/self/comm', 'utf8').trim(),
    );
    await end(pod);
  });

  /** Where the kernel has the container, and what it holds it to. */
  async function itsCgroup(
    running: Running,
    limits: { readonly shares: string; readonly quota: string; readonly memory: string },
  ): Promise<void> {
    const own = await shell(running, 'cat /proc/self/cgroup');
    assert.match(own, new RegExp(`^\\d+:[^:]*cpu[^:]*:.*${running.id}$`, 'm'));
    if (readNodeTraits().cgroupVersion === 2) return;
    const value = (controller: string, cgroup: string, file: string): string =>
      readFileSync(`/sys/fs/cgroup/${controller}/${cgroup}/${file}`, 'utf8').trim();
    for (const cgroup of [running.cgroup, `${running.cgroup}/${running.id}`]) {
      assert.equal(value('cpu', cgroup, 'cpu.shares'), limits.shares);
      assert.equal(value('cpu', cgroup, 'cpu.cfs_quota_us'), limits.quota);
      assert.equal(value('memory', cgroup, 'memory.limit_in_bytes'), limits.memory);
    }
  }

  async function end(pod: Pod): Promise<void> {
    const { uid } = pod.metadata;
    for (const { id } of (await runtime.get(uid))?.sandboxes ?? []) {
      await runtime.stopSandbox(id, signal);
      await runtime.removeSandbox(id, signal);
    }
    await cgroups.remove(uid);
    assert.ok(!(await cgroups.uids()).includes(uid));
  }
});
