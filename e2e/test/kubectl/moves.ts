import assert from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { eventually, scaled, within } from '@hawser/seams/testing';
import { shellPod } from '../../src/pods-site/pods-site.ts';
import { apiLog } from './api-streams.ts';
import { NODE, type KubectlSite } from './kubectl-site.ts';
import { sideBySide } from './kubectl.ts';

const WAIT = { deadlineMs: 20_000 };
/** A number every few milliseconds. */
const COUNT = 'i=0; while true; do i=$((i+1)); echo $i; usleep 4000; done';

/** Lines that are cut, and hubs that are left. */
export function describeMoves(of: () => KubectlSite): void {
  afterEach(async () => {
    await of().site.cluster.link.heal();
  });

  it('goes on with a log over losses of the tunnel: no line twice, none left out', async () => {
    const { site, kubectl, kubectls } = of();
    const { link } = site.cluster;
    await site.create(shellPod('count', COUNT));
    await site.untilReady('count');
    const logs = kubectls.map((program) => program.follow(['logs', '-f', 'count']));
    const lines = (text: string): string[] => text.split('\n').slice(0, -1);
    const reach = async (from: number): Promise<void> => {
      for (const log of logs)
        await eventually('it goes on', () => lines(log.text()).length >= from + 50, WAIT);
    };
    for (const how of ['reset', 'reset', 'cut'] as const) {
      await reach(Math.max(...logs.map((log) => lines(log.text()).length)));
      await link[how]();
      await link.heal();
    }
    await reach(Math.max(...logs.map((log) => lines(log.text()).length)));
    for (const log of logs) {
      const seen = lines(log.text());
      const wrong = seen.findIndex((line, index) => line !== String(index + 1));
      assert.equal(wrong, -1, `line ${wrong} is ${seen[wrong] ?? ''}`);
      await log.stop();
    }
    await kubectl.ok(['delete', 'pod', 'count', '--wait=false']);
  }).timeout(90_000);

  it('says that a command was lost, and does not take it for one that has succeeded', async () => {
    const { site, kubectls } = of();
    const { link } = site.cluster;
    const running = kubectls.map((kubectl) =>
      kubectl.follow(['exec', 'web', '--', 'sh', '-c', 'echo begun; sleep 20']),
    );
    for (const command of running) await command.until(/begun\n/);
    await link.cut();
    for (const { child, errors } of running) {
      await eventually('it has ended', () => child.exitCode !== null, WAIT);
      assert.equal(child.exitCode, 1, errors());
      assert.match(errors(), /the connection to node edge-1 was lost before the command had ended/);
    }
    await sideBySide(kubectls, async (kubectl) => {
      const none = await kubectl.run(['exec', 'web', '--', 'ls']);
      assert.equal(none.code, 1);
      assert.match(none.stderr, /node edge-1 has no session with this hub/);
      const noLog = await kubectl.run(['logs', 'web']);
      assert.match(noLog.stderr, /node edge-1 has no session with this hub/);
    });
    await link.heal();
    await site.edge.untilInSync();
    await eventually('it is back', async () => (await kubectls[0]?.run(['logs', 'web']))?.code === 0, WAIT);
  }).timeout(60_000);

  it('finds the node at another replica, and tells who listens at the former one', async () => {
    const kubectlSite = of();
    const { site, kubectls, kubectl, config } = kubectlSite;
    const { cluster } = site;
    const before = await kubectlSite.kubeletAt(NODE);
    const left = new PassThrough();
    const log = await apiLog(config, 'web', 'follow=true');
    log.pipe(left);
    await within('its beginning', once(log, 'data'), 10_000);
    cluster.route(0, 1);
    cluster.link.reset();
    const hasMoved = async (): Promise<boolean> => (await kubectlSite.kubeletAt(NODE)).port !== before.port;
    await eventually('the Node says another port', hasMoved, WAIT);
    await sideBySide(kubectls, async (program) => {
      assert.equal(await program.ok(['logs', 'pair', '-c', 'b']), 'from b\n');
      assert.equal(await program.ok(['exec', 'web', '--', 'echo', 'here']), 'here\n');
    });
    assert.ok((await cluster.hubMetric('hawser_kubelet_requests_total', 1)) > 0);
    if (scaled(0, 1) === 1) {
      // The former hub waits for the node for 30 s.
      assert.match(
        await within('the end of the log', text(left), 45_000),
        /\nhawser: the log ends here: .*node edge-1.*ask again with --since-time=\d{4}-\S+Z\n$/,
      );
    }
    log.destroy();
    cluster.route(0, 0);
    cluster.link.reset();
    const isBack = async (): Promise<boolean> => (await kubectlSite.kubeletAt(NODE)).port === before.port;
    await eventually('the Node says the former port', isBack, WAIT);
    assert.equal(await kubectl.ok(['exec', 'web', '--', 'echo', 'here']), 'here\n');
  }).timeout(120_000);
}
