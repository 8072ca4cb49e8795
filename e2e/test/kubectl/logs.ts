import assert from 'node:assert/strict';
import { RESOURCES } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { shellPod } from '../../src/pods-site/pods-site.ts';
import { NODE, LONG_LOG_LINES, container, type KubectlSite } from './kubectl-site.ts';
import { sideBySide } from './kubectl.ts';

const WAIT = { deadlineMs: 20_000, intervalMs: 300 };
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d)$/;
const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'many', namespace: 'default' },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'many' } },
    template: {
      metadata: { labels: { app: 'many' } },
      spec: {
        nodeName: NODE,
        terminationGracePeriodSeconds: 1,
        automountServiceAccountToken: false,
        containers: [container('main', 'echo one of many; sleep 100000')],
      },
    },
  },
};

/** `kubectl logs`, with all that it can be asked for. */
export function describeLogs(of: () => KubectlSite): void {
  it('reads logs of one container, of all, of those that have ended, of a Deployment', async () => {
    const { kubectls, kubectl } = of();
    await kubectl.ok(['create', '-f', '-'], { input: JSON.stringify(DEPLOYMENT) });
    await sideBySide(kubectls, async (program) => {
      const logs = (...args: string[]): Promise<string> => program.ok(['logs', ...args]);
      assert.equal(await logs('pair', '-c', 'b'), 'from b\n');
      assert.equal(await logs('pair', '-c', 'prepare'), 'prepared\n');
      const all = await logs('pair', '--all-containers', '--prefix');
      assert.deepEqual(all.trim().split('\n').sort(), [
        '[pod/pair/a] from a',
        '[pod/pair/a] to stderr',
        '[pod/pair/b] from b',
        '[pod/pair/prepare] prepared',
      ]);
      const hasSpoken = async (): Promise<boolean> => {
        const { code, stdout } = await program.run(['logs', 'deployment/many']);
        return code === 0 && stdout === 'one of many\n';
      };
      await eventually('the pod of the Deployment has spoken', hasSpoken, WAIT);
      assert.match(await logs('-l', 'app=many', '--prefix'), /^\[pod\/many-\S+\/main\] one of many\n$/);
    });
  }).timeout(60_000);

  it('reads the end of a log, the beginning, what is after a time', async () => {
    const { kubectl } = of();
    const logs = (...args: string[]): Promise<string> => kubectl.ok(['logs', 'long-log', ...args]);
    const numbers = (text: string): number[] =>
      text
        .trim()
        .split('\n')
        .map((line) => Number(line.split(' ')[0]));
    assert.deepEqual(numbers(await logs('--tail', '3')), [
      LONG_LOG_LINES - 2,
      LONG_LOG_LINES - 1,
      LONG_LOG_LINES,
    ]);
    assert.equal(await logs('--tail', '0'), '');
    assert.equal(await logs('--limit-bytes', '9'), '1 of a lo');
    const whole = numbers(await logs());
    assert.equal(whole.length, LONG_LOG_LINES);
    assert.ok(
      whole.every((number, index) => number === index + 1),
      'each line once, in its order',
    );
    const last = await logs('--timestamps', '--tail', '2000');
    const stamps = last
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '');
    assert.ok(
      stamps.every((stamp) => TIMESTAMP.test(stamp)),
      stamps[0],
    );
    // kubectl asks for whole seconds.
    const second = (stamp = '', more = 0): string =>
      new Date(Math.floor(Date.parse(stamp) / 1000 + more) * 1000).toISOString().replace('.000', '');
    const since = numbers(await logs('--since-time', second(stamps.at(-1))));
    assert.equal(since.at(-1), LONG_LOG_LINES);
    assert.equal(await logs('--since-time', second(stamps.at(-1), 1)), '');
    assert.equal(await logs('--since', '1s'), '', 'it has said nothing for longer');
    assert.equal(numbers(await logs('--since', '1h', '--tail', '5')).length, 5);
  }).timeout(60_000);

  it('says what is wrong in the words of Kubernetes', async () => {
    const { kubectls, kubectl, site } = of();
    const waiting = /waiting to start: (?:trying and failing to pull image|image can't be pulled)/;
    const isWaiting = async (): Promise<boolean> =>
      waiting.test((await kubectl.run(['logs', 'no-image'])).stderr);
    await eventually('the image cannot be pulled', isWaiting, WAIT);
    await sideBySide(kubectls, async (program) => {
      const wrong = async (...args: string[]): Promise<string> => {
        const { code, stdout, stderr } = await program.run(args);
        assert.notEqual(code, 0, stdout);
        return stderr;
      };
      assert.match(
        await wrong('logs', 'no-image'),
        /^Error from server \(BadRequest\): container "main" in pod "no-image" is waiting to start: /,
      );
      assert.equal(
        await wrong('logs', 'pair', '-c', 'a', '-p'),
        'Error from server (BadRequest): previous terminated container "a" in pod "pair" not found\n',
      );
      assert.match(await wrong('logs', 'none'), /\(NotFound\): pods "none" not found/);
      const raw = (query: string): Promise<string> =>
        wrong('get', '--raw', `/api/v1/namespaces/default/pods/pair/log${query}`);
      assert.match(
        await raw(''),
        /a container name must be specified for pod pair, choose one of: \[prepare a b\]/,
      );
      assert.match(await raw('?container=c'), /\(BadRequest\): container c is not valid for pod pair/);
      assert.match(await raw('?container=a&tailLines=-1'), /tailLines: Invalid value: -1: must be greater/);
      assert.match(
        await raw('?container=a&limitBytes=0'),
        /limitBytes: Invalid value: 0: must be greater than 0/,
      );
      assert.match(
        await raw('?container=a&sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z'),
        /at most one of `sinceTime` or `sinceSeconds` may be specified/,
      );
    });
    await site.cluster.objects.remove(RESOURCES.pods, ['no-image'], true);
  }).timeout(60_000);

  it('reads the log of the container before, and follows one to its end', async () => {
    const { kubectl, kubectls, site } = of();
    const restarted = await site.until(
      'crash',
      ({ status }) =>
        (status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1 &&
        status?.containerStatuses?.[0]?.lastState?.['terminated'] !== undefined,
    );
    assert.equal(restarted.status?.containerStatuses?.[0]?.lastState?.['terminated']?.['exitCode'], 3);
    for (const program of kubectls)
      assert.match(await program.ok(['logs', 'crash', '-p']), /^run of [0-9a-f-]{36}\n$/);
    await site.create(shellPod('short', 'echo one; sleep 2; echo two', { spec: { restartPolicy: 'Never' } }));
    await site.untilPhase('short', 'Running');
    assert.equal(await kubectl.ok(['logs', '-f', 'short']), 'one\ntwo\n', 'it ends with the container');
    assert.equal(await kubectl.ok(['logs', 'short']), 'one\ntwo\n', 'and is there after it');
    await site.remove('short');
  }).timeout(60_000);

  it('shows what is written into either stream while it follows', async () => {
    const { kubectls } = of();
    const site = of();
    await sideBySide(kubectls, async (kubectl) => {
      const log = kubectl.follow(['logs', '-f', 'web', '--tail', '1', '--timestamps']);
      await log.until(/^\S+Z \S.*\n/);
      await site.say(`out ${kubectl.version}`);
      await site.say(`!err ${kubectl.version}`);
      for (const said of ['said out', '!err'])
        await log.until(new RegExp(`^\\S+ ${said} ${kubectl.version}\\n`, 'm'));
      await log.stop();
    });
    await site.untilQuiet();
  }).timeout(60_000);
}
