import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir } from '@hawser/seams/testing';
import { missingOutput } from '../../src/docs/command-page.ts';
import { commandPages, walks, type Walk } from '../../src/docs/command-pages.ts';
import { takeWalk, type Walked } from '../../src/docs/reader-shell.ts';
import { netnsAvailable } from '../../src/index.ts';
import { findExecutable } from '../../src/processes/executable.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const TIMEOUT_MS = 240_000;
/** Beside what every Linux has. */
const PROGRAMS = ['kubectl', 'curl', 'openssl'];

/** What a walk has done otherwise than its pages say. */
function differences({ steps }: Walk, { exitCode, outputs }: Walked): string[] {
  if (exitCode !== 0) {
    const last = steps[outputs.length - 1];
    return [
      `${last?.page.file}:${last?.block.line} fails:\n${last?.block.code}\n--\n${outputs.at(-1)?.slice(-3000)}`,
    ];
  }
  return steps.flatMap(({ page, block }, index) =>
    missingOutput(block.output, outputs[index] ?? '').map(
      (line) => `${page.file}:${block.line} does not print: ${line}\n--\n${outputs[index]}`,
    ),
  );
}

describe('commands of README and of the documents', function () {
  this.timeout(TIMEOUT_MS + 30_000);

  it('do what the pages say, in order', async function () {
    const network = await netnsAvailable();
    const missing = PROGRAMS.filter((program) => findExecutable(program) === undefined);
    const reason = network.ok
      ? missing.map((program) => `there is no ${program}`).join(', ')
      : network.reason;
    if (reason !== '') {
      console.log(`      left out: ${reason}`);
      return this.skip();
    }
    const dir = await makeTempDir('hawser-docs-');
    try {
      const found = await Promise.all(
        walks(commandPages(ROOT)).map(async (walk, index) => {
          const place = path.join(dir.path, String(index));
          await mkdir(place);
          return differences(walk, await takeWalk(walk, ROOT, place, TIMEOUT_MS));
        }),
      );
      if (found.flat().length > 0) assert.fail(found.flat().join('\n\n'));
    } finally {
      await dir.remove();
    }
  });
});
