// npm run bench -- NAME: measures, and prints one JSON object per figure on stdout.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root, run, say } from './run.js';
import { setup } from './setup.js';

await setup();
const folder = path.join(root, 'e2e', 'dist', 'bench');
const suffix = '.bench.js';
const names = readdirSync(folder)
  .filter((file) => file.endsWith(suffix))
  .map((file) => file.slice(0, -suffix.length));
const [name, ...args] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  say(`usage: npm run bench -- NAME, where NAME is one of: ${names.join(', ')}`);
  process.exit(2);
}
const file = path.join(folder, `${name}${suffix}`);
process.exitCode = existsSync(file) ? await run(process.execPath, ['--expose-gc', file, ...args]) : 1;
