import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { makeTempDir } from '@hawser/seams/testing';

const RECORDS = pathToFileURL(
  path.resolve(import.meta.dirname, '../../../..', 'scripts/docs/bench-records.js'),
);

interface Day {
  readonly machine: string;
  readonly remark?: string;
  readonly figures: readonly { readonly figure: string; readonly value: number }[];
}

const line = (figure: string, value: unknown): string =>
  JSON.stringify({ bench: 'sync', figure, value, unit: 'ms', n: 1 });

describe('records of benches', () => {
  it('keep the latest of each figure of a day, and what was said of it', async () => {
    const dir = await makeTempDir();
    try {
      const first = `> npm run bench\n${line('b_ms', 1)}\n${line('a_ms', 2)}\n{"edge":40}\n`;
      const second = `${line('b_ms', 3)}\n${line('c_ms', null)}\n`;
      const program = `
        const { benchRecords, recordBenches } = await import(${JSON.stringify(RECORDS.href)});
        recordBenches(${JSON.stringify(first)}, 'a quiet machine', ${JSON.stringify(dir.path)});
        recordBenches(${JSON.stringify(second)}, undefined, ${JSON.stringify(dir.path)});
        console.log(JSON.stringify(benchRecords(${JSON.stringify(dir.path)})));`;
      const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
      const [day] = JSON.parse(stdout) as Day[];
      assert.match(day?.machine ?? '', /Node\.js v\d/);
      assert.equal(day?.remark, 'a quiet machine');
      assert.deepEqual(
        day.figures.map(({ figure, value }) => [figure, value]),
        [
          ['a_ms', 2],
          ['b_ms', 3],
        ],
      );
    } finally {
      await dir.remove();
    }
  });
});
