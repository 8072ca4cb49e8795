import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { readCommands } from '../../src/docs/command-page.ts';
import { walks } from '../../src/docs/command-pages.ts';
import { takeWalk, type Walked } from '../../src/docs/reader-shell.ts';
import { netnsAvailable } from '../../src/index.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const TIMEOUT_MS = 30_000;

describe('takeWalk', function () {
  this.timeout(TIMEOUT_MS + 10_000);

  let dir: TempDir | undefined;
  let count = 0;
  before(async function () {
    const network = await netnsAvailable();
    if (!network.ok) {
      console.log(`      left out: ${network.reason}`);
      return this.skip();
    }
    dir = await makeTempDir('hawser-walk-');
  });
  after(() => dir?.remove());

  async function walk(...pages: readonly string[][]): Promise<Walked> {
    const read = pages.map((blocks, index) =>
      readCommands(`${index}.md`, blocks.map((block) => `${block}\n`).join('\n')),
    );
    const [first] = walks(read);
    assert.ok(first !== undefined);
    assert.ok(dir !== undefined);
    const place = path.join(dir.path, String(count++));
    await mkdir(place);
    return await takeWalk(first, ROOT, place, TIMEOUT_MS);
  }

  const sh = (code: string): string => `\`\`\`sh\n${code}\n\`\`\``;

  it('keeps one shell, and tells which block fails', async () => {
    const { exitCode, outputs } = await walk([
      sh('word=kept; cd /'),
      sh('echo "$word"; pwd; false'),
      sh('echo no'),
    ]);
    assert.equal(exitCode, 1);
    assert.deepEqual(outputs, ['', 'kept\n/\n']);
  });

  it('takes another end of a command where the page says so, and only that', async () => {
    const good = await walk(['<!-- exits with 3 -->', sh('(exit 3)'), sh('echo on')]);
    assert.deepEqual([good.exitCode, good.outputs.at(-1)], [0, 'on\n']);
    assert.equal((await walk(['<!-- exits with 3 -->', sh('true'), sh('echo on')])).exitCode, 1);
  });

  it('leaves nothing, has all ports, and cannot write to the repository', async () => {
    const name = `hawser-walk-${process.pid}`;
    const { exitCode, outputs } = await walk([
      sh(`touch /tmp/${name} /etc/${name} /var/lib/${name} && ls ~/hawser/package.json`),
      sh(`! touch ~/hawser/${name}; ls /sys/class/net; sleep 600 &`),
    ]);
    assert.equal(exitCode, 0, outputs.join('\n'));
    for (const place of ['/tmp', '/etc', '/var/lib', ROOT])
      assert.ok(!existsSync(path.join(place, name)), place);
    assert.match(outputs.at(-1) ?? '', /Read-only file system\nlo\n/);
  });
});
