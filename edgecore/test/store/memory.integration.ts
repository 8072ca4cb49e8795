import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { StoreFolder } from './store-folder.ts';

const CHILD = fileURLToPath(new URL('./disk/memory-child.js', import.meta.url));

describe('EdgeStore: memory', () => {
  let folder: StoreFolder;
  beforeEach(async () => (folder = await StoreFolder.make()));
  afterEach(() => folder.remove());

  async function weigh(
    objects: number,
    what = '',
  ): Promise<{ rssKib: number; anonKib: number; heapBytes: number }> {
    const args = ['--expose-gc', CHILD, folder.path, String(objects), what];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const [rssKib = Number.NaN, anonKib = Number.NaN, heapBytes = Number.NaN] = stdout.split(' ').map(Number);
    return { rssKib, anonKib, heapBytes };
  }

  it('an open store with the objects of ten pods costs no more than its thread and SQLite', async function () {
    if (!existsSync('/proc/self/status')) this.skip();
    this.timeout(30_000);
    const bare = await weigh(0, 'bare');
    const open = await weigh(20);
    const rss = open.rssKib - bare.rssKib;
    const anonymous = open.anonKib - bare.anonKib;
    assert.ok(rss < 26 * 1024, `${rss} KiB more than without (${open.rssKib} and ${bare.rssKib})`);
    assert.ok(anonymous < 16 * 1024, `${anonymous} KiB of it anonymous`);
  });

  it('an object costs little beside its content, which is on disk', async function () {
    this.timeout(60_000);
    const { heapBytes } = await weigh(5000);
    assert.ok(heapBytes < 400, `${heapBytes} bytes of heap for an object`);
  });
});
