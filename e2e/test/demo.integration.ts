import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { ContainerdSite } from '@hawser/edgecore/testing';

const MAIN = new URL('../src/demo/main.js', import.meta.url).pathname;

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the demonstration to its end; `interruptAt` sends SIGINT once this was printed. */
async function demonstration(args: readonly string[], interruptAt?: string): Promise<Run> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let seen = '';
  if (interruptAt !== undefined)
    child.stdout.on('data', (chunk: Buffer) => {
      const before = seen.includes(interruptAt);
      seen += chunk.toString();
      if (!before && seen.includes(interruptAt)) child.kill('SIGINT');
    });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: child.exitCode, stdout, stderr };
}

/** What it shows where containers can be run. */
const ON_REAL_PODS = [
  /changed in the files of 3 running pods after \d+ ms; none was restarted/,
  /was killed, and the next one runs after \d+ ms/,
  /3 containers run again/,
  /nothing was rebuilt: the same 3 containers run/,
];

describe('the demonstration behind npm start', function () {
  this.timeout(120_000);

  it('shows a node from its join to its end, and stops everything', async () => {
    const available = await ContainerdSite.availability();
    const { code, stdout, stderr } = await demonstration(['--once']);
    assert.equal(code, 0, stderr);
    for (const line of [
      /Node registered and Ready/,
      /reported as Running/,
      /durable at the edge after \d+ ms/,
      /3 ConfigMaps were written twice: 3 changes travelled/,
      /3 pods and \d+ objects from its disk/,
      /revoked/,
      /; 0 objects travelled/,
      ...(available.ok ? ON_REAL_PODS : []),
      /everything stopped/,
    ])
      assert.match(stdout, line);
  });

  it('ends in good order when it is interrupted on its way', async () => {
    const { code, stdout, stderr } = await demonstration(['--keep'], 'A node joins');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /everything stopped/);
    assert.doesNotMatch(stdout, /Deployment/);
  });
});
