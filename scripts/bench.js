// npm run bench -- [--record] NAME [PART …]: measures, and prints one JSON object per figure on stdout. `--record` keeps them
// in docs/benchmarks, and writes that page anew.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { root, run, say } from './run.js';
import { setup } from './setup.js';

await setup();
const folder = path.join(root, 'e2e', 'dist', 'bench');
const suffix = '.bench.js';
const names = readdirSync(folder)
  .filter((file) => file.endsWith(suffix))
  .map((file) => file.slice(0, -suffix.length));
const words = process.argv.slice(2);
const recording = words.includes('--record');
const [name, ...args] = words.filter((word) => word !== '--record');
if (name === undefined || !names.includes(name)) {
  say(`usage: npm run bench -- [--record] NAME, where NAME is one of: ${names.join(', ')}`);
  process.exit(2);
}
const file = path.join(folder, `${name}${suffix}`);
const command = [process.execPath, '--expose-gc', file, ...args];
if (!existsSync(file)) process.exitCode = 1;
else if (recording) process.exitCode = await measureAndRecord(command);
else process.exitCode = await run(command[0], command.slice(1));

/** What was measured before a bench failed is kept, too. @returns {Promise<number>} its exit code */
async function measureAndRecord([node, ...rest]) {
  const child = spawn(node, rest, { cwd: root, stdio: ['inherit', 'pipe', 'inherit'] });
  child.stdout.pipe(process.stdout, { end: false });
  const [lines, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  const recorder = spawn(node, ['scripts/record-benches.js'], {
    cwd: root,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  recorder.stdin.end(lines);
  const [recorded] = await once(recorder, 'close');
  return code === 0 ? recorded : (code ?? 1);
}
