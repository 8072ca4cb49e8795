import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { driver } from '../src/index.ts';

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('../src/main.js', import.meta.url));
const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));

describe('hawser-mapper-bluetooth', () => {
  it('finds nothing wrong with the examples', async () => {
    const files = await readdir(EXAMPLES);
    assert.ok(files.length >= 2);
    for (const file of files) {
      const { stdout } = await run(process.execPath, [PROGRAM, '--check', path.join(EXAMPLES, file)]);
      const lines = stdout.trim().split('\n');
      assert.ok(lines.length > 0);
      for (const line of lines) assert.match(line, /^Device default\/[a-z0-9-]+: valid, \d+ properties$/);
    }
  });

  it('says its version and its schemas', async () => {
    assert.equal((await run(process.execPath, [PROGRAM, '--version'])).stdout, `${driver.version}\n`);
    const { data } = JSON.parse((await run(process.execPath, [PROGRAM, '--schemas'])).stdout) as {
      data: Record<string, string>;
    };
    assert.deepEqual(JSON.parse(data['protocol.json'] ?? ''), driver.schemas.protocol);
    assert.deepEqual(JSON.parse(data['visitor.json'] ?? ''), driver.schemas.visitor);
  });
});
