import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ContainerdSite } from '@hawser/edgecore/testing';
import { eventually, within } from '@hawser/seams/testing';
import { PodsSite, shellPod } from '../../src/pods-site/pods-site.ts';

/** The one of PATH, and Debian's older one where it was unpacked before: they speak WebSockets and SPDY. */
const KUBECTLS = [
  'kubectl',
  fileURLToPath(new URL('../../../../.cache/kubectl-debian/usr/bin/kubectl', import.meta.url)),
].filter((program) => spawnSync(program, ['version', '--client']).status === 0);
const WAIT = { deadlineMs: 15_000 };
/** Serves a page, and says again what is written into its pipe. */
const COMMAND = [
  ...['echo begun', 'mkfifo /tmp/talk', 'httpd -p 8080 -h /www', 'exec 3<>/tmp/talk'],
  'while read line <&3; do echo "said $line"; done',
].join('; ');

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** kubectl → control plane → hub → tunnel → edge core → containerd, each in a process of its own. */
describe('kubectl and a container at the edge', () => {
  let site: PodsSite;
  const children: ChildProcess[] = [];

  before(async function () {
    this.timeout(60_000);
    const available = await ContainerdSite.availability();
    if (!available.ok || KUBECTLS.length === 0) {
      process.stdout.write(`      ${available.ok ? 'no kubectl' : available.reason}\n`);
      this.skip();
    }
    site = await PodsSite.open({ hub: { kubelet: { portRange: { first: 25_000, last: 25_999 } } } });
    await site.create(shellPod('web', COMMAND));
    await site.untilReady('web');
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill();
  });
  after(() => (site as PodsSite | undefined)?.close()); // there is none where it was skipped

  const env = (): NodeJS.ProcessEnv => ({
    PATH: process.env['PATH'],
    HOME: site.cluster.dir,
    KUBECONFIG: site.cluster.kubeconfig,
  });

  function run(program: string, args: readonly string[], input?: string): Promise<Run> {
    return new Promise((resolve) => {
      const child = execFile(program, [...args], { env: env(), timeout: 20_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      });
      child.stdin?.end(input);
    });
  }

  /** A kubectl that goes on, and what it has said so far. */
  function follow(
    program: string,
    args: readonly string[],
  ): { readonly child: ChildProcess; readonly text: () => string } {
    const child = spawn(program, [...args], { env: env(), stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    return { child, text: () => text };
  }

  for (const program of KUBECTLS) {
    const name = path.basename(path.dirname(program)) === '.' ? 'of PATH' : 'of Debian';
    const kubectl = (args: readonly string[], input?: string): Promise<Run> => run(program, args, input);

    it(`reads logs (${name})`, async () => {
      const { code, stdout, stderr } = await kubectl(['logs', 'web']);
      assert.deepEqual([code, stdout.split('\n')[0], stderr], [0, 'begun', '']);
    });

    it(`runs commands, with their output, errors, input and exit code (${name})`, async () => {
      const both = await kubectl(['exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
      assert.deepEqual([both.stdout, both.code], ['out\n', 7]);
      assert.match(both.stderr, /^err\n/);
      const echoed = await kubectl(['exec', '-i', 'web', '--', 'sh', '-c', 'wc -c'], 'x'.repeat(300_000));
      assert.equal(echoed.stdout.trim(), '300000', echoed.stderr);
      const none = await kubectl(['exec', 'web', '--', 'no-such-program']);
      assert.notEqual(none.code, 0);
    });

    it(`forwards a port (${name})`, async () => {
      const forwarded = follow(program, ['port-forward', 'pod/web', ':8080', '--address', '127.0.0.1']);
      await eventually('it listens', () => forwarded.text().includes('Forwarding from'), WAIT);
      const port = /127\.0\.0\.1:(\d+)/.exec(forwarded.text())?.[1] ?? '';
      for (let request = 0; request < 3; request++) {
        const answer = await fetch(`http://127.0.0.1:${port}/`);
        assert.equal(answer.status, 200, forwarded.text());
        assert.ok((await answer.text()).length > 0);
      }
    });

    it(`follows a log over a cut of the line, to the line (${name})`, async () => {
      const { link } = site.cluster;
      const say = (text: string): Promise<unknown> =>
        // Straight into the container: the hub is not to be needed for it.
        site.containerd.ctr([
          'tasks',
          'exec',
          '--exec-id',
          `say-${text}`,
          containerId,
          'sh',
          '-c',
          `echo ${text} > /tmp/talk`,
        ]);
      const { status } = await site.pod('web');
      const containerId = (status?.containerStatuses?.[0]?.containerID ?? '').replace('containerd://', '');
      const mark = name.replaceAll(' ', '-');
      const log = follow(program, ['logs', '-f', 'web', '--tail', '0']);
      await eventually(
        'it hears',
        async () => {
          await say(`${mark}-hello-${Date.now()}`);
          return log.text().includes(`${mark}-hello`);
        },
        { ...WAIT, intervalMs: 300 },
      );
      const from = log.text().length;
      await say(`${mark}-before`);
      await eventually('before the cut', () => log.text().includes(`${mark}-before`), WAIT);
      await link.cut();
      for (const index of [1, 2, 3]) await say(`${mark}-during-${index}`);
      await link.heal();
      await eventually('after the cut', () => log.text().includes(`${mark}-during-3`), {
        deadlineMs: 30_000,
      });
      await say(`${mark}-after`);
      await eventually('and on', () => log.text().includes(`${mark}-after`), WAIT);
      assert.deepEqual(
        log
          .text()
          .slice(from)
          .trim()
          .split('\n')
          .filter((line) => !line.includes('-hello-')),
        ['before', 'during-1', 'during-2', 'during-3', 'after'].map((text) => `said ${mark}-${text}`),
      );
      log.child.kill();
      await within('its end', once(log.child, 'exit'), 5000);
    }).timeout(60_000);
  }
});
