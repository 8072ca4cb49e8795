import assert from 'node:assert/strict';
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import { eventually, within } from '@hawser/seams/testing';
import { CriRuntime } from '../../src/runtime/cri/cri-runtime.ts';
import { ContainerdSite, openContainerdSite } from '../../testing/containerd/containerd-site.ts';
import { TEST_IMAGES } from '../../testing/containerd/test-images.ts';
import { startSleeper, type Sleeper } from './sleeper.ts';

/** What a site has of the machine, by which its traces are found. */
interface Traces {
  readonly dir: string;
  readonly socket: string;
  readonly cgroupRoot: string;
}

describe('ContainerdSite', function () {
  this.timeout(60_000);
  let site: ContainerdSite | undefined;
  let runtime: CriRuntime;
  let sleeper: Sleeper;
  let hostPort: number;
  /** Of the sleeper. */
  let ip: string;

  before(async function () {
    hostPort = await freePort();
    site = await openContainerdSite(this);
    runtime = new CriRuntime({ endpoint: site.endpoint, log: silentLogger });
    await runtime.start();
    sleeper = await startSleeper(runtime, site, hostPort);
  });
  after(async () => {
    if (site === undefined) return; // skipped
    await runtime.stop();
    await site.close();
    assert.deepEqual(tracesOf(site), []);
    await site.close();
  });

  const theSite = (): ContainerdSite => {
    assert.ok(site !== undefined);
    return site;
  };
  const page = async (address: string): Promise<string> => (await fetch(`http://${address}/`)).text();
  const containerState = async (): Promise<string | undefined> =>
    (await runtime.list())
      .flatMap(({ containers }) => containers)
      .find(({ id }) => id === sleeper.containerId)?.state;

  it('has the images, and runs containers that can be reached', async () => {
    const tags = (await runtime.images.list()).flatMap((image) => image.tags);
    for (const name of Object.values(TEST_IMAGES)) assert.ok(tags.includes(name), name);
    const [pod] = await runtime.list();
    ip = pod?.sandboxes[0]?.ips[0] ?? '';
    assert.ok(ip.startsWith(theSite().subnet.replace(/0\/24$/, '')), ip);
    assert.equal(await page(ip), 'hawser\n');
  });

  it('has ports of the host', async function () {
    const available = await ContainerdSite.availability();
    if (!available.ok || !available.portMappings) this.skip();
    assert.equal(await page(`127.0.0.1:${hostPort}`), 'hawser\n');
  });

  it('lets containers run on while containerd is killed and started again', async () => {
    const before = theSite().pid;
    await theSite().kill();
    assert.equal(await page(ip), 'hawser\n');
    await theSite().start();
    assert.notEqual(theSite().pid, before);
    await eventually('the container is found again', async () => (await containerState()) === 'running');
  });

  it('loses what ran by a power cut, and keeps what was on the disk', async () => {
    await theSite().powerCut();
    assert.deepEqual(processesOf(theSite()), []);
    await theSite().start();
    await eventually('the container is found dead', async () => (await containerState()) !== 'running');
    assert.ok((await containerState()) !== undefined);
    const signal = AbortSignal.timeout(20_000);
    await runtime.stopSandbox(sleeper.sandboxId, signal);
    await runtime.removeSandbox(sleeper.sandboxId, signal);
    sleeper = await startSleeper(runtime, theSite(), hostPort);
    assert.equal(await containerState(), 'running');
  });

  it('loses everything but its own images with the disk', async () => {
    await theSite().powerCut({ wipe: true });
    await theSite().start();
    await eventually('nothing is known', async () => (await runtime.list()).length === 0);
    assert.ok((await runtime.images.status(TEST_IMAGES.busybox)) !== undefined);
    sleeper = await startSleeper(runtime, theSite(), hostPort);
  });

  it('is cleared away by the next one when its process was killed', async () => {
    const child = fork(path.join(import.meta.dirname, 'site-owner.js'));
    const [left] = (await within('the child has a site', once(child, 'message'), 30_000)) as [
      Traces & { readonly pid: number },
    ];
    assert.notEqual(left.socket, theSite().socket);
    const traces = tracesOf(left);
    for (const part of ['containerd-shim', 'hawser-ctr', '/sys/fs/cgroup/'])
      assert.ok(
        traces.some((trace) => trace.includes(part)),
        part,
      );
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    await eventually('its containerd ends with it', () => !existsSync(`/proc/${left.pid}`));
    const next = await ContainerdSite.open();
    try {
      assert.deepEqual(tracesOf(left), []);
      assert.equal(await containerState(), 'running'); // that of a live process is left alone
    } finally {
      await next.close();
    }
    assert.deepEqual(tracesOf(next), []);
  });
});

/** Everything that is left of a site. Another one may have its number by now. */
function tracesOf(site: Traces): string[] {
  const runDir = path.dirname(site.socket);
  const number = path.basename(runDir);
  const run = (file: string, ...args: string[]): string => execFileSync(file, args, { encoding: 'utf8' });
  const lines = (text: string, part: string): string[] =>
    text.split('\n').filter((line) => line.includes(part));
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const ofDir = [...(existsSync(site.dir) ? [site.dir] : []), ...lines(mounts, site.dir)];
  if (isTaken(site)) return ofDir;
  return [
    ...ofDir,
    ...(existsSync(runDir) ? [runDir] : []),
    ...lines(mounts, `${runDir}/`),
    ...processesOf(site),
    ...lines(run('ip', 'link', 'show'), `hawser-ctr${number}:`),
    ...lines(run('ip', 'link', 'show'), `master hawser-ctr${number} `),
    ...lines(run('iptables-save', '-t', 'nat'), `"hawser-site-${number}\\"`),
    ...readdirSync('/sys/fs/cgroup')
      .map((name) => path.join('/sys/fs/cgroup', name, site.cgroupRoot))
      .filter((dir) => existsSync(dir)),
    ...readdirSync('/var/lib/cni/results').filter((name) => name.startsWith(`hawser-site-${number}-`)),
  ];
}

function isTaken({ dir, socket }: Traces): boolean {
  try {
    const owner = JSON.parse(readFileSync(path.join(path.dirname(socket), 'owner.json'), 'utf8')) as {
      readonly dir: string;
    };
    return owner.dir !== dir;
  } catch {
    return false; // there is none
  }
}

/** Command lines of processes that were started with its socket. */
function processesOf({ socket }: Traces): string[] {
  const lines = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return ''; // it has just ended
      }
    });
  return lines.filter((line) => line.includes(`${socket} `));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
