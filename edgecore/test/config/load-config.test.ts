import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { loadConfig } from '../../src/config/load-config.ts';
import { EdgeCoreError } from '../../src/errors.ts';

describe('loadConfig', () => {
  let dir: TempDir;
  let file: string;

  beforeEach(async () => {
    dir = await makeTempDir();
    file = path.join(dir.path, 'edgecore.yaml');
  });
  afterEach(() => dir.remove());

  const isConfigError =
    (pattern: RegExp) =>
    (error: unknown): boolean => {
      assert.ok(error instanceof EdgeCoreError);
      assert.equal(error.code, 'ERR_EDGECORE_CONFIG');
      assert.match(error.message, pattern);
      return true;
    };

  it('answers what the file and the command line say, and defaults', async () => {
    await writeFile(file, 'node:\n  maxPods: 7\nhub:\n  address: "hub.example:1"\n');
    const config = await loadConfig(file, { 'hub.address': 'other.example:2' });
    assert.equal(config.node.maxPods, 7);
    assert.equal(config.hub.address, 'other.example:2');
    assert.equal(config.pods.runtime, 'cri');
  });

  it('takes an answer that comes in many pieces', async () => {
    const labels = Array.from({ length: 5000 }, (_, index) => `    l${index}: "${'v'.repeat(60)}"`);
    await writeFile(file, `node:\n  labels:\n${labels.join('\n')}\n`);
    const config = await loadConfig(file, {});
    assert.equal(Object.keys(config.node.labels).length, 5000);
  });

  it('names every problem, and the file', async () => {
    await writeFile(file, 'node:\n  maxPods: none\nhubb: {}\n');
    await assert.rejects(
      loadConfig(file, {}),
      isConfigError(/edgecore\.yaml: .*maxPods.*hubb|hubb.*maxPods/s),
    );
  });

  it('tells of a process that ends without an answer', async () => {
    const before = process.env['NODE_OPTIONS'];
    process.env['NODE_OPTIONS'] = '--no-such-option';
    try {
      await assert.rejects(
        loadConfig(undefined, {}),
        isConfigError(/could not be checked: .*no-such-option.*exit 9/s),
      );
    } finally {
      if (before === undefined) delete process.env['NODE_OPTIONS'];
      else process.env['NODE_OPTIONS'] = before;
    }
  });
});
