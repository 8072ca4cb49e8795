import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Attach, Exec, Log, type V1Status } from '@kubernetes/client-node';
import { eventually, within } from '@hawser/seams/testing';
import type { KubectlSite } from './kubectl-site.ts';
import { sideBySide } from './kubectl.ts';

const WAIT = { deadlineMs: 15_000 };

/** Commands in containers and what they read and write, with kubectl's SPDY and WebSockets, and with a client of JavaScript. */
export function describeStreams(of: () => KubectlSite): void {
  it('keeps output and errors apart, and hands the exit code on', async () => {
    await sideBySide(of().kubectls, async (kubectl) => {
      const both = await kubectl.run(['exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 42']);
      assert.deepEqual([both.code, both.stdout], [42, 'out\n']);
      assert.match(both.stderr, /^err\ncommand terminated with exit code 42\n$/);
      const killed = await kubectl.run(['exec', 'web', '--', 'sh', '-c', 'kill -9 $$']);
      assert.equal(killed.code, 137);
      const input = randomBytes(1_000_000).toString('base64');
      const hash = createHash('sha256').update(input).digest('hex');
      assert.match(
        await kubectl.ok(['exec', '-i', 'web', '--', 'sha256sum'], { input }),
        new RegExp(`^${hash} `),
      );
    });
  }).timeout(60_000);

  it('says what is wrong with a command', async () => {
    await sideBySide(of().kubectls, async (kubectl) => {
      const wrong = async (...args: string[]): Promise<string> => {
        const { code, stderr } = await kubectl.run(['exec', ...args]);
        assert.equal(code, 1);
        return stderr;
      };
      assert.match(
        await wrong('web', '--', 'no-such'),
        /exec: "no-such": executable file not found in \$PATH/,
      );
      assert.match(await wrong('pair', '-c', 'none', '--', 'ls'), /container none is not valid for pod pair/);
      assert.match(await wrong('pair', '-c', 'prepare', '--', 'ls'), /container not found \("prepare"\)/);
      assert.match(await wrong('none', '--', 'ls'), /pods "none" not found/);
      assert.match(
        await wrong('elsewhere', '--', 'ls'),
        /container not found|the runtime is a stand-in that runs nothing/,
      );
    });
  }).timeout(60_000);

  it('gives a terminal of the size of the own one', async () => {
    await sideBySide(of().kubectls, async (kubectl) => {
      const size = { rows: 33, columns: 77 };
      const command = ['exec', '-it', 'web', '--', 'sh', '-c', 'tty; sleep 0.5; stty size; exit 5'];
      const { code, stdout } = await kubectl.onTerminal(size, command);
      assert.equal(code, 5, stdout);
      assert.match(stdout, /\/dev\/pts\/\d+\r?\n[^]*33 77/);
    });
  }).timeout(60_000);

  it('attaches to what runs, with a terminal and without', async () => {
    const site = of();
    for (const kubectl of site.kubectls) {
      const attached = kubectl.follow(['attach', '-i', 'talk', '-c', 'plain']);
      attached.child.stdin?.write(`one ${kubectl.version}\n`);
      await attached.until(new RegExp(`got one ${kubectl.version}\\n`));
      attached.child.stdin?.write('two\n');
      await attached.until(/got two\n/);
      await eventually('stderr is apart', () => attached.errors().includes('heard two\n'), WAIT);
      assert.ok(!attached.text().includes('heard'));
      await attached.stop();
      // The container has not ended with it.
      const log = await kubectl.ok(['logs', 'talk', '-c', 'plain', '--tail', '2']);
      assert.deepEqual(log.trim().split('\n').sort(), ['got two', 'heard two']);
    }
    await site.untilQuiet();
  }).timeout(60_000);

  it('copies files there and back', async () => {
    const { kubectls, dataDir } = of();
    const bytes = randomBytes(3_000_000);
    const file = path.join(path.dirname(dataDir), 'sent');
    await writeFile(file, bytes);
    await sideBySide(kubectls, async (kubectl) => {
      const back = path.join(path.dirname(dataDir), `back-${kubectl.version}`);
      await kubectl.ok(['cp', file, `web:/tmp/sent-${kubectl.version}`]);
      await kubectl.ok(['cp', `web:/tmp/sent-${kubectl.version}`, back]);
      assert.ok((await readFile(back)).equals(bytes));
    });
  }).timeout(60_000);

  it('serves a client over WebSockets: streams apart, exit code, resize', async () => {
    const { config } = of();
    const exec = new Exec(config);
    const [out, errors] = [new PassThrough(), new PassThrough()];
    const status = new Promise<V1Status>((resolve, reject) => {
      // It does not end: over v4 of the protocol, which this runtime has, that client would leave then.
      const input = new PassThrough();
      input.write('from stdin\n');
      const command = ['sh', '-c', 'read line; echo "$line"; echo err >&2; exit 7'];
      exec.exec('default', 'web', 'main', command, out, errors, input, false, resolve).catch(reject);
    });
    const { reason, details } = await within('its end', status, 15_000);
    assert.equal(reason, 'NonZeroExitCode');
    assert.equal(details?.causes?.[0]?.message, '7');
    out.end();
    errors.end();
    assert.deepEqual([await text(out), await text(errors)], ['from stdin\n', 'err\n']);

    const screen = new Screen(80, 24);
    const keys = new PassThrough();
    const shell = await exec.exec('default', 'web', 'main', ['sh'], screen, null, keys, true);
    // The size comes beside the command, and may be later than its first look.
    const isSize = (size: string) => (): boolean => {
      keys.write('stty size\n');
      return screen.said.includes(size);
    };
    await eventually('the first size', isSize('24 80'), { ...WAIT, intervalMs: 200 });
    Object.assign(screen, { rows: 50, columns: 132 });
    screen.emit('resize');
    await eventually('the other size', isSize('50 132'), { ...WAIT, intervalMs: 200 });
    const closed = once(shell, 'close');
    keys.write('exit\n');
    await within('the end of the shell', closed, 10_000);
  }).timeout(60_000);

  it('attaches a client over a WebSocket, and streams logs to one', async () => {
    const site = of();
    const out = new PassThrough();
    let said = '';
    out.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const keys = new PassThrough();
    const attached = await new Attach(site.config).attach(
      'default',
      'talk',
      'terminal',
      out,
      null,
      keys,
      true,
    );
    keys.write('echo $((6 * 7))\n');
    await eventually('the shell has answered', () => /\n42\r?\n/.test(said), WAIT);
    attached.close();
    const followed = new PassThrough();
    let lines = '';
    followed.on('data', (chunk: Buffer) => (lines += chunk.toString()));
    const log = await new Log(site.config).log('default', 'web', 'main', followed, {
      follow: true,
      tailLines: 1,
    });
    await eventually('it has begun', () => lines !== '', WAIT);
    await site.say('to a client');
    await eventually('the line', () => lines.includes('said to a client\n'), WAIT);
    log.abort();
    await site.untilQuiet();
  }).timeout(60_000);
}

/** A terminal as a client of JavaScript knows it: something that is written to and has a size. */
class Screen extends PassThrough {
  columns: number;
  rows: number;
  said = '';

  constructor(columns: number, rows: number) {
    super();
    this.columns = columns;
    this.rows = rows;
    this.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
  }
}
