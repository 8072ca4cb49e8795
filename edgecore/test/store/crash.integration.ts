import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { delay, randomBelow, seededRandom } from '@hawser/seams';
import { eventually, scaled } from '@hawser/seams/testing';
import { Ledger, parseAcknowledgements } from './disk/ledger.ts';
import { StoreFolder } from './store-folder.ts';

const CHILD = fileURLToPath(new URL('./disk/load-child.js', import.meta.url));

describe('EdgeStore: kill -9 under write load', () => {
  let folder: StoreFolder;
  beforeEach(async () => (folder = await StoreFolder.make()));
  afterEach(() => folder.remove());

  const rounds = scaled(20, 300);
  it(`loses nothing acknowledged, and opens, ${rounds} times`, async function () {
    this.timeout(rounds * 5000);
    const random = seededRandom(7);
    const ledger = new Ledger();
    const acks = `${folder.path}-acks`;
    let acknowledged = 0;
    for (let round = 0; round < rounds; round += 1) {
      // A file, since a pipe may be full when its reader has no time.
      await rm(acks, { force: true });
      const child = spawn(process.execPath, [CHILD, folder.path, acks, JSON.stringify(ledger.steps)], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let errors = '';
      child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
      const closed = once(child, 'close');
      const begun = (): boolean => existsSync(acks) && statSync(acks).size > 0;
      await eventually('something is acknowledged', () => begun() || child.exitCode !== null, {
        deadlineMs: 30_000,
      });
      await delay(randomBelow(random, 150));
      child.kill('SIGKILL');
      await closed;
      assert.equal(errors.replaceAll(/^log-torn .*\n/gm, ''), '');
      const acknowledgements = parseAcknowledgements(await readFile(acks, 'utf8'));
      for (const acknowledgement of acknowledgements) ledger.add(acknowledgement);
      acknowledged += acknowledgements.length;
      const store = await folder.open();
      await ledger.check(store);
      const found = store.openReport.findings.filter(({ kind }) => kind !== 'log-torn');
      assert.deepEqual(found, [], 'a crash is no damage');
      await folder.close();
    }
    assert.ok(acknowledged > rounds * 10, `only ${acknowledged} writes were acknowledged`);
  });
});
