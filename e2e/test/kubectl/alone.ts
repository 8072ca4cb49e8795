import assert from 'node:assert/strict';
import { hawserCommand, type Run } from '../../src/processes/user-command.ts';
import type { KubectlSite } from './kubectl-site.ts';

/** `hawser pods|logs|exec|describe` at an edge whose line is cut. */
export function describeAlone(of: () => KubectlSite): void {
  before(() => of().site.cluster.link.cut());
  after(() => of().site.cluster.link.heal());

  const hawser = ([command = '', ...rest]: readonly string[], input = ''): Promise<Run> =>
    hawserCommand().run([command, '--socket', of().site.edge.socket, ...rest], { input });

  it('shows pods, their logs and what is known of them', async () => {
    await of().site.edge.until(({ session }) => session.state !== 'up');
    const pods = await hawser(['pods']);
    assert.match(pods.stdout, /^web +1\/1 +Running +0 /m);
    assert.match(pods.stdout, /^pair +2\/2 +Running +0 /m);
    const described = await hawser(['describe', 'pod', 'pair']);
    assert.match(described.stdout, /^Name: +pair$/m);
    assert.match(described.stdout, /State: +Terminated: Completed, exit code 0/);
    assert.deepEqual(await hawser(['logs', 'pair', '-c', 'b']), { code: 0, stdout: 'from b\n', stderr: '' });
    assert.equal((await hawser(['logs', 'pair', '-c', 'prepare'])).stdout, 'prepared\n');
    assert.match((await hawser(['logs', 'crash', '-p'])).stdout, /^run of \S+\n$/);
    assert.equal((await hawser(['logs', 'long-log', '--tail', '2'])).stdout.split('\n').length, 3);
    const none = await hawser(['logs', 'none']);
    assert.notEqual(none.code, 0);
    assert.match(none.stderr, /none/);
  }).timeout(30_000);

  it('runs commands, with input, errors and exit codes', async () => {
    const both = await hawser(['exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 42']);
    assert.deepEqual([both.code, both.stdout], [42, 'out\n']);
    assert.match(both.stderr, /^err\n/);
    const counted = await hawser(['exec', '-i', 'web', '--', 'wc', '-c'], 'x'.repeat(200_000));
    assert.equal(counted.stdout.trim(), '200000');
    const none = await hawser(['exec', 'web', '--', 'no-such']);
    assert.match(none.stderr, /executable file not found/);
    assert.notEqual(none.code, 0);
  }).timeout(30_000);
}
