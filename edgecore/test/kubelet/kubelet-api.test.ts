import assert from 'node:assert/strict';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { silentLogger } from '@hawser/seams';
import { FakeClock, eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import type { Machine } from '../../src/node/machine.ts';
import { PodFolders } from '../../src/pods/pod-folders.ts';
import type { ContainerStatus, PodStatus } from '../../src/pods/pod-status-types.ts';
import { RuntimeError } from '../../src/runtime/runtime-error.ts';
import { makePod } from '../../testing/index.ts';
import { runningContainer, runtimePod } from './fake-runtime.ts';
import { KubeletSite } from './kubelet-site.ts';

const PROC: Record<string, string> = {
  stat: 'cpu  100 10 40 5000 7 3 2 1 0 0\ncpu0 1 1 1 1\nbtime 1770000000\n',
  meminfo:
    'MemTotal:  1000 kB\nMemFree:  400 kB\nAnonPages:  150 kB\nInactive(file):  100 kB\nSwapTotal: 10 kB\nSwapFree: 4 kB\n',
  vmstat: 'pgfault 77\npgmajfault 5\n',
  'net/dev':
    'Inter-|   Receive\n face |bytes packets errs\n    lo: 9 1 0 0 0 0 0 0 9 1 0 0 0 0 0 0\n  eth1: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n  eth0: 100 1 2 0 0 0 0 0 200 1 3 0 0 0 0 0\n',
  'net/route':
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0\t0\t0\t0\t0\t00000000\n',
};

function status(container: Partial<ContainerStatus>): PodStatus {
  return {
    ...{ phase: 'Running', conditions: [], startTime: '2026-03-01T12:00:00Z', qosClass: 'BestEffort' },
    containerStatuses: [
      {
        ...{ name: 'main', state: {}, lastState: {}, ready: true, started: true },
        ...{ restartCount: 0, image: '', imageID: '' },
        ...container,
      },
    ],
  };
}

const RUNNING = status({
  state: { running: { startedAt: '2026-03-01T12:00:00Z' } },
  containerID: 'fake://main-0',
});

describe('KubeletApi', () => {
  let temp: TempDir;
  let clock: FakeClock;
  let site: KubeletSite;

  beforeEach(async () => {
    temp = await makeTempDir();
    await mkdir(path.join(temp.path, 'proc', 'net'), { recursive: true });
    for (const [name, text] of Object.entries(PROC))
      await writeFile(path.join(temp.path, 'proc', name), text);
    clock = new FakeClock();
    site = new KubeletSite({
      clock,
      root: temp.path,
      folders: new PodFolders({ dataDir: temp.path, logRoot: temp.path }),
      machine: { read: () => ({ pids: { used: 7, max: 100 } }) } as Machine,
    });
    site.pods = [makePod('web')];
    site.statuses.set('uid-web', RUNNING);
    site.runtime.pods = [
      runtimePod('web', [runningContainer('main', { logPath: await logFile('hello\n') })]),
    ];
  });
  afterEach(async () => {
    site.stop();
    await temp.remove();
  });

  /** A log as a runtime writes it. */
  async function logFile(...texts: string[]): Promise<string> {
    const file = path.join(temp.path, 'default_web_uid-web', 'main', '0.log');
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, texts.map((text) => `2026-03-01T12:00:00.000000000Z stdout F ${text}`).join(''));
    return file;
  }

  describe('logs', () => {
    const LOG = '/containerLogs/default/web/main';

    it('gives a log', async () => {
      const { status, headers, text } = await site.get(LOG);
      assert.equal(status, 200);
      assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
      assert.equal(text, 'hello\n');
    });

    it('says in a kubelet’s words what there is not', async () => {
      const cases: readonly [string, number, string][] = [
        ['/containerLogs/default/nobody/main', 404, 'pod "nobody" does not exist'],
        ['/containerLogs/other/web/main', 404, 'pod "web" does not exist'],
        ['/containerLogs/default/web/c', 404, 'container "c" not found in pod "web"'],
        [`${LOG}?previous=true`, 400, 'previous terminated container "main" in pod "web" not found'],
        [
          `${LOG}?tailLines=-1`,
          422,
          '{"message":"Invalid request. tailLines: must be greater than or equal to 0"}',
        ],
      ];
      for (const [path, status, text] of cases) {
        const answer = await site.get(path);
        assert.deepEqual([answer.status, answer.text], [status, text], path);
      }
      site.statuses.set('uid-web', status({ state: { waiting: { reason: 'PodInitializing' } } }));
      const waiting = await site.get(LOG);
      assert.equal(waiting.status, 400);
      assert.equal(waiting.text, 'container "main" in pod "web" is waiting to start: PodInitializing');
      site.statuses.set('uid-web', RUNNING);
      site.runtime.pods = [];
      const lost = await site.get(LOG);
      assert.deepEqual(
        [lost.status, lost.text],
        [400, 'unable to retrieve container logs for fake://main-0'],
      );
    });

    it('says of a container without a log that it has none, and why', async () => {
      site.runtime.pods = [runtimePod('web', [runningContainer('main', { logPath: '' })])];
      for (const url of [LOG, `${LOG}?follow=true`]) {
        const { status: code, text } = await site.get(url);
        assert.deepEqual(
          [code, text],
          [400, 'container "main" has no log: the container runtime "fake" keeps none of it'],
        );
      }
    });

    it('follows a log until the container has ended, and then lets go of everything', async () => {
      const answer = await site.ask(`${LOG}?follow=true`);
      const chunks: string[] = [];
      const read = (async () => {
        for await (const chunk of answer) chunks.push(String(chunk));
      })();
      await eventually('the first line', () => chunks.join('') === 'hello\n');
      const file = path.join(temp.path, 'default_web_uid-web', 'main', '0.log');
      await appendFile(file, '2026-03-01T12:00:01.000000000Z stderr F more\n');
      await eventually('the second line', async () => {
        await clock.advance(1000);
        return chunks.join('') === 'hello\nmore\n';
      });
      site.runtime.change('uid-web', [runningContainer('main', { state: 'exited', logPath: file })]);
      await eventually('its end', async () => {
        await clock.advance(1000);
        return site.api.streams === 0;
      });
      await read;
      assert.equal(site.runtime.listeners, 0);
    });

    it('lets go when whoever follows has gone, or when it stops', async () => {
      const gone = await site.ask(`${LOG}?follow=true`);
      assert.equal(site.api.streams, 1);
      gone.on('error', () => {}).destroy();
      await eventually('the end', () => site.api.streams === 0 && site.runtime.listeners === 0);
      const answer = await site.ask(`${LOG}?follow=true`);
      const ended = text(answer);
      site.api.stop();
      await assert.rejects(ended);
      assert.equal((await site.get(LOG)).status, 503);
    });
  });

  describe('streams', () => {
    const refused = async (path: string): Promise<[number | undefined, string]> => {
      const { response } = await site.upgrade(path);
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      return [response.statusCode, Buffer.concat(chunks).toString()];
    };

    it('says in a kubelet’s words what there is not', async () => {
      const cases: readonly [string, number, string][] = [
        ['/exec/default/nobody/main?output=1', 404, 'pod does not exist'],
        ['/exec/default/web/another-uid/main?output=1', 404, 'pod not found'],
        ['/exec/default/web/c?output=1', 500, 'container not found ("c")'],
        ['/exec/default/web/main', 400, 'you must specify at least 1 of stdin, stdout, stderr'],
        ['/attach/default/web/c?output=1', 500, 'container c not found in pod web_default'],
        ['/portForward/default/web/another-uid', 404, 'pod not found'],
        ['/stats/summary', 400, '/stats/summary cannot be upgraded'],
        ['/nothing', 404, '404 page not found'],
      ];
      for (const [path, ...answer] of cases) assert.deepEqual(await refused(path), answer, path);
      assert.deepEqual(site.runtime.streamed, []);
    });

    it('asks the runtime for what was asked for', async () => {
      await refused(
        '/exec/default/web/uid-web/main?command=sh&command=-c&command=a%20b&input=1&output=1&error=1&tty=1',
      );
      await refused('/exec/default/web/main?command=x&stdout=true&stderr=true');
      await refused('/attach/default/web/main?output=1&error=1&tty=1');
      await refused('/portForward/default/web');
      assert.deepEqual(site.runtime.streamed, [
        {
          ...{ kind: 'exec', containerId: 'main-0', command: ['sh', '-c', 'a b'] },
          ...{ stdin: true, stdout: true, stderr: false, tty: true },
        },
        {
          ...{ kind: 'exec', containerId: 'main-0', command: ['x'] },
          ...{ stdin: false, stdout: true, stderr: true, tty: false },
        },
        // Whether there is a terminal is what the container was made with.
        { kind: 'attach', containerId: 'main-0', stdin: false, stdout: true, stderr: false, tty: false },
        { kind: 'port-forward', sandboxId: 'sandbox-0', ports: [] },
      ]);
    });

    it('takes the whole query, with whatever is in it', async () => {
      await refused('/exec/default/web/main?command=ls&command=?.txt&command=a?b?c&output=1');
      const [asked] = site.runtime.streamed;
      assert.deepEqual(asked?.kind === 'exec' && asked.command, ['ls', '?.txt', 'a?b?c']);
    });

    it('does not put commands into the log, nor into what it answers', async () => {
      const lines: string[] = [];
      const note = (fields: object, text?: string): void =>
        void lines.push(`${JSON.stringify(fields)} ${text ?? ''}`);
      site.stop();
      site = new KubeletSite({ clock, log: { ...silentLogger, warn: note } });
      site.pods = [makePod('web')];
      site.runtime.pods = [runtimePod('web', [runningContainer('main')])];
      site.runtime.failure = new RuntimeError('ERR_EDGECORE_RUNTIME_UNREACHABLE', 'it is away');
      await refused('/exec/default/web/main?command=login&command=--password%3Dhunter2&output=1');
      assert.equal(lines.length, 1);
      assert.match(lines.join(), /exec\/default\/web\/main/);
      assert.doesNotMatch(lines.join(), /hunter2/);
      const [, answer] = await refused('/stats/summary?command=hunter2');
      assert.equal(answer, '/stats/summary cannot be upgraded');
    });

    it('wants a pod that runs', async () => {
      site.runtime.pods = [runtimePod('web', [runningContainer('main', { state: 'exited' })])].map((pod) => ({
        ...pod,
        sandboxes: pod.sandboxes.map((one) => ({ ...one, ready: false })),
      }));
      assert.deepEqual(await refused('/exec/default/web/main?output=1'), [
        500,
        'container not found ("main")',
      ]);
      assert.deepEqual(await refused('/portForward/default/web'), [500, 'pod not found ("web_default")']);
    });

    it('passes on what the runtime says', async () => {
      site.runtime.failure = new RuntimeError('ERR_EDGECORE_RUNTIME', 'no such container', {
        notFound: true,
      });
      assert.deepEqual(await refused('/exec/default/web/main?output=1'), [404, 'no such container']);
      site.runtime.failure = new RuntimeError('ERR_EDGECORE_RUNTIME_UNREACHABLE', 'it is away');
      assert.deepEqual(await refused('/exec/default/web/main?output=1'), [500, 'it is away']);
    });

    it('wants an upgrade', async () => {
      const { status, text } = await site.get('/exec/default/web/main?output=1', 'POST');
      assert.deepEqual([status, text], [400, 'Upgrade request required']);
    });
  });

  describe('lists', () => {
    it('has the pods of the store with their statuses', async () => {
      const list = JSON.parse((await site.get('/pods')).text) as { kind: string; items: unknown[] };
      assert.equal(list.kind, 'PodList');
      assert.deepEqual(list.items, [{ ...makePod('web'), status: RUNNING }]);
    });

    it('has the pods that run', async () => {
      site.runtime.pods.push(runtimePod('done', [runningContainer('main', { state: 'exited' })]));
      const { items } = JSON.parse((await site.get('/runningpods/')).text) as { items: unknown[] };
      assert.deepEqual(items, [
        {
          metadata: { name: 'web', namespace: 'default', uid: 'uid-web' },
          spec: { containers: [{ name: 'main', image: 'registry.example/app:1', resources: {} }] },
          status: {},
        },
      ]);
    });

    it('is well, and has nothing else', async () => {
      assert.equal((await site.get('/healthz')).text, 'ok');
      assert.deepEqual(
        [(await site.get('/configz')).status, (await site.get('/pods', 'DELETE')).status],
        [404, 405],
      );
    });
  });

  describe('statistics', () => {
    const usage = (cpuNanos: number): void => {
      const usage = { podUid: 'uid-web', name: 'main', id: 'main-0', atMs: clock.wallMs(), cpuNanos };
      const memory = { memoryWorkingSetBytes: 4096, diskBytes: 512, diskInodes: 2 };
      site.runtime.usages = [{ ...usage, ...memory }];
    };

    it('are a Summary, with rates from the second look on', async () => {
      usage(2e9);
      const summary = async (query = ''): Promise<Summary> =>
        JSON.parse((await site.get(`/stats/summary${query}`)).text) as Summary;
      const first = await summary();
      assert.equal(first.node.nodeName, 'edge-1');
      assert.equal(first.node.startTime, '2026-02-02T02:40:00.000Z');
      // 100 + 10 + 40 + 3 + 2 + 1 ticks of 10 ms.
      assert.equal(first.node.cpu.usageCoreNanoSeconds, 1_560_000_000);
      assert.deepEqual(
        { ...first.node.memory, time: '' },
        {
          ...{ time: '', availableBytes: 500 * 1024, usageBytes: 600 * 1024, workingSetBytes: 500 * 1024 },
          ...{ rssBytes: 150 * 1024, pageFaults: 77, majorPageFaults: 5 },
        },
      );
      assert.equal(first.node.network?.name, 'eth0');
      assert.deepEqual([first.node.network.rxBytes, first.node.network.txErrors], [100, 3]);
      assert.deepEqual(first.node.rlimit, { time: first.node.cpu.time, maxpid: 100, curproc: 7 });
      const [pod] = first.pods;
      assert.deepEqual(pod?.podRef, { name: 'web', namespace: 'default', uid: 'uid-web' });
      assert.equal(pod.containers[0]?.rootfs?.usedBytes, 512);
      assert.equal(pod.containers[0].logs?.inodesUsed, 1);
      assert.equal(pod.cpu.usageNanoCores, undefined);
      await clock.advance(10_000);
      usage(3e9);
      const second = await summary();
      assert.equal(second.pods[0]?.cpu.usageNanoCores, 100_000_000);
      assert.equal(second.pods[0].containers[0]?.cpu.usageNanoCores, 100_000_000);
      const small = await summary('?only_cpu_and_memory=true');
      assert.equal(small.node.fs, undefined);
      assert.equal(small.pods[0]?.containers[0]?.rootfs, undefined);
      assert.equal(small.pods[0]?.cpu.usageNanoCores, 100_000_000);
    });

    it('are metrics as a kubelet’s', async () => {
      usage(2_500_000_000);
      const { headers, text } = await site.get('/metrics/resource');
      assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
      const at = clock.wallMs();
      for (const line of [
        '# TYPE container_cpu_usage_seconds_total counter',
        `container_cpu_usage_seconds_total{container="main",namespace="default",pod="web"} 2.5 ${at}`,
        `container_memory_working_set_bytes{container="main",namespace="default",pod="web"} 4096 ${at}`,
        'container_start_time_seconds{container="main",namespace="default",pod="web"} 2',
        `node_cpu_usage_seconds_total 1.56 ${at}`,
        `node_memory_working_set_bytes 512000 ${at}`,
        `pod_cpu_usage_seconds_total{namespace="default",pod="web"} 2.5 ${at}`,
        `pod_memory_working_set_bytes{namespace="default",pod="web"} 4096 ${at}`,
        'resource_scrape_error 0',
        'scrape_error 0',
      ]) {
        assert.ok(text.split('\n').includes(line), `${line}\nis not in\n${text}`);
      }
    });

    it('say so when the runtime does not answer', async () => {
      site.runtime.failure = new RuntimeError('ERR_EDGECORE_RUNTIME_UNREACHABLE', 'it is away');
      const { text } = await site.get('/metrics/resource');
      assert.match(text, /^resource_scrape_error 1$/m);
      assert.match(text, /^node_memory_working_set_bytes 512000/m);
      assert.doesNotMatch(text, /^pod_/m);
      const { status, text: why } = await site.get('/stats/summary');
      assert.deepEqual([status, why], [500, 'it is away']);
    });
  });
});

interface Cpu {
  readonly time: string;
  readonly usageNanoCores?: number;
  readonly usageCoreNanoSeconds: number;
}

interface Summary {
  readonly node: {
    readonly nodeName: string;
    readonly startTime: string;
    readonly cpu: Cpu;
    readonly memory: object;
    readonly network?: { readonly name: string; readonly rxBytes: number; readonly txErrors: number };
    readonly fs?: object;
    readonly rlimit?: object;
  };
  readonly pods: readonly {
    readonly podRef: object;
    readonly cpu: Cpu;
    readonly containers: readonly {
      readonly cpu: Cpu;
      readonly rootfs?: { readonly usedBytes: number };
      readonly logs?: { readonly inodesUsed: number };
    }[];
  }[];
}
