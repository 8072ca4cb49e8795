import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const MODULE = new URL('../../src/memory-diet.js', import.meta.url).href;

/** Runs 500 functions once, collects garbage as `call` says, and answers what a line of JSON on stdout has. */
async function after(call: string): Promise<{ codeBytes: number; heapBytes: number; answer: number }> {
  const script = `
    const { collectGarbage } = await import(${JSON.stringify(MODULE)});
    const { getHeapCodeStatistics } = await import('node:v8');
    const text = (n) => 'let x = a; for (let i = 0; i < 3; i++) { x += i * ' + n + '; if (x > 9) x -= ' + n + '; } return x;';
    const all = Array.from({ length: 500 }, (_, n) => new Function('a', text(n)));
    for (const each of all) each(1);
    let garbage = Array.from({ length: 100_000 }, () => ({}));
    garbage = undefined;
    ${call};
    ${call};
    const codeBytes = getHeapCodeStatistics().bytecode_and_metadata_size;
    const heapBytes = process.memoryUsage().heapUsed;
    console.log(JSON.stringify({ codeBytes, heapBytes, answer: all[7](1) }));`;
  // Coverage keeps the code that ran.
  const env = { ...process.env, HAWSER_COVERAGE: '' };
  const args = ['--input-type=module', '-e', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return JSON.parse(stdout) as { codeBytes: number; heapBytes: number; answer: number };
}

describe('collectGarbage', () => {
  it('frees what is not used, and code only where it is told to; that runs again', async function () {
    this.timeout(30_000);
    const [none, plain, dropped] = await Promise.all(
      ['', 'collectGarbage(false)', 'collectGarbage(true)'].map(after),
    );
    assert.ok(none !== undefined && plain !== undefined && dropped !== undefined);
    assert.ok(
      plain.heapBytes < none.heapBytes - 1e6,
      `${plain.heapBytes} of ${none.heapBytes} bytes are left`,
    );
    assert.ok(plain.codeBytes > 50_000, `${plain.codeBytes} bytes of code`);
    assert.ok(
      dropped.codeBytes < plain.codeBytes / 2,
      `${dropped.codeBytes} of ${plain.codeBytes} bytes are left`,
    );
    assert.deepEqual([none.answer, plain.answer, dropped.answer], [15, 15, 15]);
  });
});
