import assert from 'node:assert/strict';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { eventually } from '@hawser/seams/testing';
import type { ContainerConfig, SandboxConfig } from '../../../src/runtime/container-config.ts';
import type { RuntimeContainer } from '../../../src/runtime/container-runtime.ts';
import { processStat } from '../../../src/runtime/process/process-stat.ts';
import { makeContainerConfig, makeSandboxConfig } from '../../../testing/index.ts';
import { overWebSocket } from '../cri/over-web-socket.ts';
import { ProcessSite } from './process-site.ts';

const NEVER = new AbortController().signal;
const STREAMS = { stdin: false, stdout: true, stderr: true, tty: false } as const;

for (const mounts of ['auto', 'links'] as const) {
  describe(`processes as containers, mounts: ${mounts}`, () => {
    let site: ProcessSite;
    let number = 0;

    before(async () => {
      const images = {
        'registry.example/known:1': { command: ['sh', '-c', 'echo $WHO'], env: { WHO: 'me' } },
      };
      site = await ProcessSite.open({ mounts, images });
      await site.runtime.start();
    });
    afterEach(() => site.removePods());
    after(() => site.close());

    const sandbox = (change: Partial<SandboxConfig> = {}): SandboxConfig => {
      const uid = `uid-${number}`;
      return makeSandboxConfig({
        uid,
        name: `pod-${number}`,
        logDirectory: path.join(site.logs, uid),
        ...change,
      });
    };
    async function run(
      change: Partial<ContainerConfig>,
      ofSandbox: Partial<SandboxConfig> = {},
    ): Promise<string> {
      number += 1;
      const config = sandbox(ofSandbox);
      const sandboxId = await site.runtime.createSandbox(config, NEVER);
      const whole = makeContainerConfig({ logPath: 'main/0.log', ...change });
      const id = await site.runtime.createContainer(sandboxId, config, whole, NEVER);
      await site.runtime.startContainer(id, NEVER);
      return id;
    }
    const shell = (script: string): Pick<ContainerConfig, 'command'> => ({ command: ['sh', '-c', script] });
    const container = async (): Promise<RuntimeContainer> => {
      const [found] = (await site.runtime.get(`uid-${number}`))?.containers ?? [];
      assert.ok(found);
      return found;
    };
    const log = async (): Promise<string> => readFile((await container()).logPath, 'utf8');
    const ended = async (): Promise<RuntimeContainer> => {
      await eventually('it has ended', async () => (await container()).state === 'exited');
      return container();
    };

    it('writes a log as runtimes do, goes on in a new file, and keeps what has no end of line', async () => {
      const id = await run(shell('echo one; echo two >&2; read go < /dev/null; sleep 0.4; printf three'));
      await eventually('it has begun', async () => (await log()).includes('two'));
      const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z`;
      assert.match(await log(), new RegExp(`^${time} stdout F one$`, 'm'));
      assert.match(await log(), new RegExp(`^${time} stderr F two$`, 'm'));
      const { logPath } = await container();
      await rename(logPath, `${logPath}.old`);
      await site.runtime.reopenLog(id, NEVER);
      await ended();
      assert.match(await log(), new RegExp(`^${time} stdout F three\n$`));
    });

    it('mounts volumes where they are asked for, or links them, and keeps the host as it is', async () => {
      const folder = path.join(site.dir, 'volume');
      await mkdir(folder, { recursive: true });
      await writeFile(path.join(folder, 'key'), 'value\n');
      const file = path.join(site.dir, 'a-file');
      await writeFile(file, 'of a file\n');
      const at = '/etc/hawser-test/deep';
      await run({
        ...shell(
          `cat $HAWSER_MOUNTS${at}/key $HAWSER_MOUNTS/run/hawser-test-file; ls /etc/passwd; echo more > $HAWSER_MOUNTS${at}/new || echo refused`,
        ),
        mounts: [
          { hostPath: folder, containerPath: at, readOnly: true },
          { hostPath: file, containerPath: '/var/run/hawser-test-file' },
          { hostPath: file, containerPath: '/run/hawser-test-file' },
        ].filter(({ containerPath }) => mounts === 'links' || !containerPath.startsWith('/var')),
      });
      await ended();
      const said = await log();
      assert.match(said, /F value\n.*F of a file\n.*F \/etc\/passwd/);
      if (mounts === 'auto') assert.match(said, /F refused/, 'it is read-only');
      await assert.rejects(readFile(`${at}/key`), { code: 'ENOENT' });
    });

    it('refuses a container without a command, and says what to do', async () => {
      await assert.rejects(run({ image: 'registry.example/app:1' }), {
        code: 'ERR_EDGECORE_RUNTIME',
        message: /has no command.*give it a command.*pods.runtimeOptions.images.*registry.example\/app:1/,
      });
    });

    it('runs what the configuration says of an image', async () => {
      await run({ image: 'registry.example/known:1' });
      assert.equal((await ended()).exitCode, 0);
      assert.match(await log(), /F me\n/);
      await run({ image: 'registry.example/known:1', env: [{ key: 'WHO', value: 'the pod' }] });
      await ended();
      assert.match(await log(), /F the pod\n/);
    });

    it('says why a program cannot be started', async () => {
      await assert.rejects(run({ command: ['no-such-program'] }), {
        message: /exec: "no-such-program": there is none/,
      });
      const { state, exitCode, reason } = await container();
      assert.deepEqual([state, exitCode, reason], ['exited', 128, 'StartError']);
    });

    it('refuses what protects and cannot be had, and says what else is not kept', async () => {
      const { security } = makeContainerConfig();
      await assert.rejects(
        run({ ...shell('true'), security: { ...security, readOnlyRootFilesystem: true } }),
        {
          message: /cannot be given: readOnlyRootFilesystem/,
        },
      );
      await run({ ...shell('true'), resources: { memoryLimitBytes: 1024 } });
      const about = site.told.filter(({ name }) => name === `pod-${number}`);
      assert.deepEqual(
        about.map(({ reason }) => reason),
        ['NotIsolated', 'NotEnforced'],
      );
      assert.match(about[1]?.message ?? '', /limits of memory are not kept/);
    });

    it('ends all that a container has started, also what has left its session', async () => {
      const id = await run(shell('setsid sleep 3600 & setsid sh -c "sleep 3601 & wait" & echo begun; wait'));
      await eventually('it runs', async () => (await log()).includes('begun'));
      let pids: readonly number[] = [];
      await eventually('both have begun', async () => {
        const all = await site.runtime.exec(id, ['pgrep', '-f', '^sleep 360[01]'], 5_000, NEVER);
        pids = all.stdout
          .split('\n')
          .map(Number)
          .filter((pid) => pid > 0);
        return pids.length >= 2;
      });
      await site.runtime.stopContainer(id, 1, NEVER);
      await eventually('all have gone, and somebody has buried them', async () => {
        const left = await Promise.all(pids.map((pid) => processStat(pid)));
        return left.every((stat) => stat === undefined);
      });
    });

    it('says that ports are taken, whoever has them', async () => {
      const server: Server = createServer();
      await new Promise<void>((resolve) => server.listen(0, resolve));
      const { port } = server.address() as AddressInfo;
      const mapping = { protocol: 'TCP', containerPort: port, hostPort: port, hostIp: '' } as const;
      await assert.rejects(run(shell('sleep 10'), { portMappings: [mapping] }), {
        message: /another program of this node/,
      });
      await new Promise((resolve) => server.close(resolve));
      await run(shell('sleep 10'), {
        portMappings: [mapping],
        containerPorts: [{ protocol: 'TCP', port: 80 }],
      });
      const owner = `default/pod-${number}`;
      await assert.rejects(run(shell('sleep 10'), { portMappings: [mapping] }), {
        message: new RegExp(`taken by the pod ${owner}`),
      });
      const other = { ...mapping, containerPort: port === 80 ? 81 : 80 };
      await assert.rejects(run(shell('sleep 10'), { portMappings: [other] }), {
        message: /cannot lead to 8/,
      });
      await run(shell('sleep 10'), { containerPorts: [{ protocol: 'TCP', port: 80 }] });
      assert.match(site.told.at(-1)?.message ?? '', new RegExp(`80/TCP \\(${owner}\\)`));
      assert.equal(site.told.at(-1)?.reason, 'PortConflict');
    });

    it('has the node’s addresses for its pods, and says what containers use', async () => {
      const id = await run(shell('head -c 20000000 /dev/zero | sha256sum; sleep 3600'));
      site.addresses = ['192.0.2.7'];
      assert.deepEqual((await site.runtime.get(`uid-${number}`))?.sandboxes[0]?.ips, ['192.0.2.7']);
      await eventually('it has worked', async () => {
        const found = (await site.runtime.usage(NEVER)).find((each) => each.id === id);
        return found !== undefined && found.cpuNanos > 0 && found.memoryWorkingSetBytes > 100_000;
      });
    });

    it('gives a way in: to a command, on a terminal too, and to what a container writes', async () => {
      const containerId = await run(shell('while sleep 0.05; do echo tick; done'));
      const command = ['sh', '-c', 'echo hello; exit 3'];
      const plain = await site.runtime.streamUrl({ kind: 'exec', containerId, command, ...STREAMS }, NEVER);
      const said = await overWebSocket(plain);
      assert.ok(said.includes('\u0001hello\n'), said);
      assert.match(said, /"reason":"ExitCode","message":"3"/);
      await assert.rejects(overWebSocket(plain), 'it is good once');
      const onTerminal = {
        kind: 'exec',
        containerId,
        command: ['tty'],
        ...STREAMS,
        tty: true,
        stderr: false,
      } as const;
      assert.match(
        await overWebSocket(await site.runtime.streamUrl(onTerminal, NEVER)),
        /\/dev\/pts\/\d+\r\n/,
      );
      const attach = await site.runtime.streamUrl({ kind: 'attach', containerId, ...STREAMS }, NEVER);
      const ticks = async (): Promise<number> => (await log()).split('tick').length;
      const seen = overWebSocket(attach);
      const before = await ticks();
      await eventually('it has gone on for a while', async () => (await ticks()) > before + 10);
      await site.runtime.stopContainer(containerId, 0, NEVER);
      assert.match(await seen, /tick\n/);
    });

    it('ends what is left of a supervisor that was killed, and tells of it', async () => {
      const id = await run(shell('echo $$; exec sleep 3600'));
      await eventually('it runs', async () => /F \d+/.test(await log()));
      const pid = Number(/F (\d+)/.exec(await log())?.[1]);
      const supervisor = site.runtime.supervisorPid ?? 0;
      process.kill(supervisor, 'SIGKILL');
      await eventually(
        'another one has come',
        () => (site.runtime.supervisorPid ?? supervisor) !== supervisor,
        {
          deadlineMs: 10_000,
        },
      );
      const found = await container();
      assert.deepEqual([found.id, found.state, found.exitCode, found.reason], [id, 'exited', 255, 'Unknown']);
      assert.equal((await site.runtime.get(`uid-${number}`))?.sandboxes[0]?.ready, false);
      assert.equal(await processStat(pid), undefined);
    });
  });
}
