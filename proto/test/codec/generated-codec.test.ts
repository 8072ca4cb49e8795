import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';

const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));

describe('The generated codec', () => {
  let dir: TempDir;

  before(async () => {
    dir = await makeTempDir();
  });

  after(() => dir.remove());

  it('is what the schemas give now', async function () {
    this.timeout(60_000);
    const out = path.join(dir.path, 'tunnel.js');
    await promisify(execFile)(process.execPath, [path.join(PACKAGE, 'generate-codec.js'), out]);
    for (const file of ['tunnel.js', 'tunnel.d.ts']) {
      const committed = await readFile(path.join(PACKAGE, 'generated', file), 'utf8');
      const made = await readFile(path.join(dir.path, file), 'utf8');
      // Not deepEqual: a diff of thousands of lines helps nobody.
      assert.ok(made === committed, `generated/${file} is out of date: npm run generate -w @hawser/proto`);
    }
  });
});
