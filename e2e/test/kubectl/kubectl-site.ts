import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { KubeConfig } from '@kubernetes/client-node';
import { ContainerdSite, TEST_IMAGES } from '@hawser/edgecore/testing';
import { RESOURCES } from '@hawser/kube';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { PodsSite, shellPod, type PodsSiteOptions } from '../../src/pods-site/pods-site.ts';
import { Kubectl } from './kubectl.ts';

/** Where the pods of these tests are. */
export const NODE = 'edge-1';

/** The one of PATH, and Debian's older one where it was unpacked before: they speak WebSockets and SPDY. */
const PROGRAMS = [
  'kubectl',
  fileURLToPath(new URL('../../../../.cache/kubectl-debian/usr/bin/kubectl', import.meta.url)),
];
/** Of the pod `long-log`: enough to fill every buffer on the way. */
export const LONG_LOG_LINES = 40_000;

/** Pods of a {@link KubectlSite}. */
const PODS = [
  // Says what comes into its pipe, to stdout or, with an exclamation mark, to stderr; serves a page, and /cgi-bin.
  shellPod(
    'web',
    [
      'echo begun',
      'mkfifo /tmp/talk',
      'mkdir -p /srv && echo hello > /srv/index.html',
      'dd if=/dev/urandom of=/srv/large bs=1M count=10 2>/dev/null',
      'httpd -p 8080 -h /srv',
      'httpd -p 8081 -h /srv',
      'exec 3<>/tmp/talk',
      'while read line <&3; do case "$line" in !*) echo "$line" >&2;; *) echo "said $line";; esac; done',
    ].join('; '),
  ),
  shellPod('pair', '', {
    spec: {
      containers: [
        container('a', 'echo from a; echo to stderr >&2; sleep 100000'),
        container('b', 'echo from b; sleep 100000'),
      ],
      initContainers: [container('prepare', 'echo prepared')],
    },
  }),
  shellPod('talk', '', {
    spec: {
      containers: [
        container('terminal', 'exec sh', { stdin: true, tty: true }),
        container('plain', 'while read line; do echo "got $line"; echo "heard $line" >&2; done', {
          stdin: true,
        }),
      ],
    },
  }),
  shellPod(
    'long-log',
    `seq 1 ${LONG_LOG_LINES} | sed 's/$/ of a long log, which goes on and on/'; sleep 100000`,
  ),
  shellPod('crash', 'echo run of $(cat /proc/sys/kernel/random/uuid); sleep 1; exit 3'),
  shellPod('no-image', '', { container: { image: '127.0.0.1:9/none:1' } }),
];

/** One container more of a pod. */
export function container(name: string, command: string, more: object = {}): object {
  return { name, image: TEST_IMAGES.busybox, command: ['sh', '-c', command], ...more };
}

/**
 * What tests of kubectl at the edge stand on: control plane, two hubs, a node with a real containerd (`edge-1`, at the
 * first hub), one that runs nothing (`edge-2`), and every kubectl of the machine.
 */
export class KubectlSite {
  readonly site: PodsSite;
  readonly kubectls: readonly Kubectl[];
  /** Of the control plane: its keys are in `pki`. */
  readonly dataDir: string;
  readonly config: KubeConfig;
  readonly #dir: TempDir;

  private constructor(parts: {
    site: PodsSite;
    kubectls: readonly Kubectl[];
    config: KubeConfig;
    dataDir: string;
    dir: TempDir;
  }) {
    this.site = parts.site;
    this.kubectls = parts.kubectls;
    this.config = parts.config;
    this.dataDir = parts.dataDir;
    this.#dir = parts.dir;
  }

  /** Opens one, with its pods; skips where that cannot be. */
  static async open(context: Mocha.Context, options: PodsSiteOptions = {}): Promise<KubectlSite> {
    context.timeout(90_000);
    const available = await ContainerdSite.availability();
    const programs = PROGRAMS.flatMap(programAt);
    if (!available.ok || programs.length === 0) {
      process.stdout.write(`      ${available.ok ? 'no kubectl' : available.reason}\n`);
      context.skip();
    }
    const dir = await makeTempDir();
    const dataDir = path.join(dir.path, 'control-plane');
    let site: PodsSite | undefined;
    try {
      site = await PodsSite.open({
        replicas: 2,
        controlPlane: { dataDir },
        ...options,
        hub: { kubelet: { portRange: { first: 26_000, last: 26_999 } }, ...options.hub },
      });
      const { cluster } = site;
      const config = new KubeConfig();
      config.loadFromFile(cluster.kubeconfig);
      const kubectls = programs.map((program) => new Kubectl(program, cluster.kubeconfig, dir.path));
      const opened = new KubectlSite({ site, kubectls, config, dataDir, dir });
      await opened.#populate();
      return opened;
    } catch (error) {
      await site?.close();
      await dir.remove();
      throw error;
    }
  }

  /** The newest one. */
  get kubectl(): Kubectl {
    const [first] = this.kubectls;
    if (first === undefined) throw new TypeError('there is one, or the tests are skipped');
    return first;
  }

  /** Kills what kubectls still run. */
  async stopFollowing(): Promise<void> {
    await Promise.all(this.kubectls.map((kubectl) => kubectl.stop()));
  }

  /** Ends everything. */
  async close(): Promise<void> {
    await this.stopFollowing();
    await this.site.close();
    await this.#dir.remove();
  }

  /** Lets the pod `web` say a line. Straight into the container: no hub is needed for it. */
  async say(text: string): Promise<void> {
    const { status } = await this.site.pod('web');
    const id = (status?.containerStatuses?.[0]?.containerID ?? '').replace('containerd://', '');
    await this.site.containerd.ctr([
      ...['tasks', 'exec', '--exec-id', `say-${process.hrtime.bigint()}`, id],
      ...['sh', '-c', `printf '%s\\n' '${text}' > /tmp/talk`],
    ]);
  }

  /** Where API servers find the kubelet of a node. */
  async kubeletAt(node: string): Promise<{ readonly host: string; readonly port: number }> {
    const found = (await this.site.cluster.objects.get(RESOURCES.nodes, node)) as {
      status?: {
        addresses?: readonly { type: string; address: string }[];
        daemonEndpoints?: { kubeletEndpoint?: { Port?: number } };
      };
    };
    const host = found.status?.addresses?.find(({ type }) => type === 'Hostname')?.address ?? '';
    return { host, port: found.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0 };
  }

  /** Waits until nothing is under way any more, here and there. */
  async untilQuiet(hub = 0): Promise<void> {
    const { cluster } = this.site;
    const isQuiet = async (): Promise<boolean> =>
      (await cluster.hubMetric('hawser_kubelet_open_requests', hub)) === 0;
    await eventually('no request to a kubelet is under way at the hub', isQuiet, { deadlineMs: 15_000 });
    const streams = async (): Promise<boolean> => (await this.edgeStreams()) <= OWN_STREAMS;
    await eventually('no stream of the kubelet is open at the edge', streams, { deadlineMs: 15_000 });
  }

  /** Streams of the node's tunnel. */
  async edgeStreams(): Promise<number> {
    const text = await this.site.edge.admin.metrics();
    return Number(/^hawser_tunnel_streams (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
  }

  async #populate(): Promise<void> {
    const { site } = this;
    await site.cluster.edge('edge-2', { hub: 0 });
    for (const pod of PODS) await site.create(pod);
    await site.create({
      ...shellPod('elsewhere', 'sleep 1', { spec: { nodeName: 'edge-2' } }),
    });
    await Promise.all(['web', 'pair', 'talk', 'long-log'].map((name) => site.untilReady(name)));
    const hasPort = async (): Promise<boolean> => (await this.kubeletAt(NODE)).port > 0;
    await eventually('the Node says where its kubelet is', hasPort, { deadlineMs: 15_000 });
  }
}

/** Of a session: its scope down, and its messages up. */
const OWN_STREAMS = 2;

function programAt(file: string): { path: string; version: string }[] {
  const { status, stdout } = spawnSync(file, ['version', '--client', '-o', 'json']);
  if (status !== 0) return [];
  const { clientVersion } = JSON.parse(stdout.toString()) as { clientVersion: { gitVersion: string } };
  return [{ path: file, version: clientVersion.gitVersion }];
}
