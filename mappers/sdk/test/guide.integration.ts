import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePort, hasMosquitto, makeTempDir } from '@hawser/seams/testing';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const GUIDE = path.join(ROOT, 'docs/write-a-mapper.md');

/** The commands of the guide, as they stand there. */
async function commandsOfGuide(): Promise<string> {
  const text = await readFile(GUIDE, 'utf8');
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands]) => commands ?? '');
  assert.ok(blocks.length >= 5, `the guide has ${blocks.length} blocks of commands`);
  return blocks.join('\n');
}

/** In a group of its own, which ends as a whole: the guide starts programs in the background. */
async function runScript(
  script: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number; output: string }> {
  const file = path.join(cwd, 'guide.sh');
  await writeFile(file, `set -euo pipefail\n${script}`);
  const child = spawn('bash', [file], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const timer = setTimeout(() => endGroup(child.pid), 100_000);
  const code = await new Promise<number>((resolve) => child.once('exit', (status) => resolve(status ?? -1)));
  clearTimeout(timer);
  endGroup(child.pid);
  return { code, output };
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

describe('the guide "Write a mapper in 15 minutes"', () => {
  it('does what it says, command by command', async function () {
    if (!hasMosquitto()) {
      console.log('      mosquitto is not there: left out');
      return this.skip();
    }
    this.timeout(120_000);
    const dir = await makeTempDir('hawser-guide-');
    try {
      const env = {
        PATH: `${path.dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin:/usr/sbin`,
        HOME: dir.path,
        HAWSER: ROOT,
        PORT: String(await freePort()),
        DEVICE_PORT: String(await freePort()),
      };
      const { code, output } = await runScript(await commandsOfGuide(), dir.path, env);
      assert.equal(code, 0, output);
      assert.match(output, /^Device default\/boiler: valid, 2 properties$/m);
      assert.match(output, /13 passing/);
      assert.doesNotMatch(output, /failing|pending/);
      // A value of the device, and the device after it was set: what the guide shows.
      for (const line of [
        'default/boiler is online',
        'default/boiler temperature = 20.5',
        'default/boiler target = 55',
        'default/boiler target: set',
      ]) {
        assert.ok(output.split('\n').includes(line), `${line}\nnot in:\n${output}`);
      }
    } finally {
      await dir.remove();
    }
  });
});
