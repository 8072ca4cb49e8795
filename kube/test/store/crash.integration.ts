import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { delay, randomBelow, seededRandom } from '@hawser/seams';
import { makeTempDir, scaled, type TempDir } from '@hawser/seams/testing';
import { SqliteStore } from '../../src/index.ts';
import { Ledger, parseAcknowledgements } from './disk/ledger.ts';

const CHILD = fileURLToPath(new URL('./disk/load-child.js', import.meta.url));

describe('SqliteStore: kill -9 under write load', () => {
  let dir: TempDir;
  beforeEach(async () => (dir = await makeTempDir('hawser-crash-')));
  afterEach(() => dir.remove());

  const rounds = scaled(20, 200);
  it(`loses nothing acknowledged, and opens, ${rounds} times`, async function () {
    this.timeout(rounds * 5000);
    const file = path.join(dir.path, 'store.db');
    const random = seededRandom(7);
    const ledger = new Ledger();
    let acknowledged = 0;
    for (let round = 0; round < rounds; round += 1) {
      const child = spawn(process.execPath, [CHILD, file, '-', JSON.stringify(ledger.steps)], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let output = '';
      let errors = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
      const closed = once(child, 'close');
      await Promise.race([once(child.stdout, 'data'), closed]);
      await delay(randomBelow(random, 150));
      child.kill('SIGKILL');
      await closed;
      assert.equal(errors, '');
      const acknowledgements = parseAcknowledgements(output);
      for (const acknowledgement of acknowledgements) ledger.add(acknowledgement);
      acknowledged += acknowledgements.length;
      const store = await SqliteStore.open({ path: file });
      try {
        ledger.check(store);
      } finally {
        await store.close();
      }
    }
    assert.ok(acknowledged > rounds * 10, `only ${acknowledged} writes were acknowledged`);
  });
});
