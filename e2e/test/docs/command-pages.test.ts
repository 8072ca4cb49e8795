import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { missingOutput, readCommands } from '../../src/docs/command-page.ts';
import { commandPages, walks } from '../../src/docs/command-pages.ts';
import { wrongHawserCommands, wrongMentions } from '../../src/docs/hawser-syntax.ts';
import { shellCommands } from '../../src/docs/shell-words.ts';

/** What looks like a command and is none. */
const NO_COMMANDS = ['hawser pool state v1'];
const ROOT = path.resolve(import.meta.dirname, '../../../..');

describe('commands of the documents', () => {
  const pages = commandPages(ROOT);

  it('that are not run are ones that the command line takes', async () => {
    const found: string[] = [];
    for (const { file, blocks } of pages)
      for (const { line, code } of blocks)
        found.push(...(await wrongHawserCommands(code)).map((wrong) => `${file}:${line}: ${wrong}`));
    assert.deepEqual(found, []);
  });

  it('within sentences are ones that there are', async () => {
    const found: string[] = [];
    for (const { file, inline } of pages)
      for (const code of inline.filter((each) => !NO_COMMANDS.includes(each)))
        found.push(...(await wrongMentions(code)).map((wrong) => `${file}: ${wrong}`));
    assert.deepEqual(found, []);
  });

  it('name files that are there, where something else runs them', () => {
    const reasons = pages.flatMap(({ blocks }) => blocks.flatMap(({ notRun }) => notRun ?? []));
    const tests = reasons.flatMap((reason) => reason.match(/\b[\w-]+\/[\w./-]+\.(?:ts|js)\b/g) ?? []);
    assert.deepEqual(
      tests.filter((file) => !existsSync(path.join(ROOT, file))),
      [],
    );
    for (const { file, runBy } of pages)
      if (runBy !== undefined)
        assert.ok(
          readFileSync(path.join(ROOT, runBy), 'utf8').includes(file),
          `${runBy} does not run ${file}`,
        );
  });

  it('follow pages that are there', () => {
    const files = new Set(pages.map(({ file }) => file));
    assert.deepEqual(
      pages.filter(({ after }) => after !== undefined && !files.has(after)).map(({ file }) => file),
      [],
    );
    assert.ok(walks(pages).some(({ file }) => file === 'README.md'));
  });

  for (const { file, runBy, blocks } of pages.filter(({ blocks }) => blocks.length > 0)) {
    const left = blocks.filter(({ notRun }) => notRun !== undefined);
    const why = [...new Set(left.map(({ notRun }) => notRun))].join('; ');
    const run = runBy === undefined ? `${blocks.length - left.length} run` : `run by ${runBy}`;
    it(`${file}: of ${blocks.length} blocks ${run}${left.length > 0 ? `, ${left.length} not: ${why}` : ''}`, () => {
      assert.deepEqual(
        left.filter(({ notRun = '' }) => notRun.split(' ').length < 2).map(({ line }) => line),
        [],
        'a block that is not run has a reason',
      );
    });
  }
});

describe('readCommands', () => {
  const page = [
    '<!-- after docs/a.md -->',
    '<!-- preamble',
    'export A=1',
    '-->',
    'Say `hawser status` there.',
    '<!-- not run: needs a registry -->',
    '',
    '```sh',
    'docker push x',
    '```',
    '<!-- exits with 3 -->',
    '```sh',
    'hawser status',
    '```',
    '',
    '```text',
    'Pods: … sync',
    '```',
    'No mark of this one:',
    '```sh',
    'true',
    '```',
    'and not its output:',
    '```text',
    'x',
    '```',
  ].join('\n');

  it('reads blocks, their marks and their output', () => {
    const { after, preamble, inline, blocks } = readCommands('x.md', page);
    assert.deepEqual([after, preamble, inline], ['docs/a.md', '\nexport A=1\n', ['hawser status']]);
    assert.deepEqual(
      blocks.map(({ line, code, notRun, exitCode, output }) => [line, code, notRun, exitCode, output]),
      [
        [8, 'docker push x', 'needs a registry', 0, []],
        [12, 'hawser status', undefined, 3, ['Pods: … sync']],
        [20, 'true', undefined, 0, []],
      ],
    );
  });

  it('runs pages after the one that they follow, and its end after them', () => {
    const first = readCommands('a.md', '```sh\none\n```\n<!-- at the end -->\n```sh\nlast\n```\n');
    const second = readCommands('b.md', '<!-- after a.md -->\n```sh\ntwo\n```\n');
    const other = readCommands('c.md', '<!-- run by t.ts -->\n```sh\nelsewhere\n```\n');
    assert.deepEqual(
      walks([second, first, other]).map(({ steps }) => steps.map(({ block }) => block.code)),
      [['one', 'two', 'last']],
    );
  });
});

describe('missingOutput', () => {
  it('finds what is shown in its order, … being anything', () => {
    assert.deepEqual(missingOutput(['a  … c', 'd (1)'], 'x\n a 12 s c\nd (1)\n'), []);
    assert.deepEqual(missingOutput(['d', 'a'], 'a\nd\n'), ['a']);
    assert.deepEqual(missingOutput(['a'], 'ab\n'), ['a']);
  });
});

describe('shellCommands', () => {
  const cases: [string, string[][]][] = [
    ['a -x 1 \\\n  --y "b c" # comment', [['a', '-x', '1', '--y', 'b c']]],
    ['A=1 sudo a > out 2>&1 && b | c &', [['a'], ['b'], ['c']]],
    ['a "$(b c)" <(d)', [['b', 'c'], ['d'], ['a', 'SUBSTITUTED', 'SUBSTITUTED']]],
    ["echo 'a && b#c' d#e", [['echo', 'a && b#c', 'd#e']]],
    ['until a; do sleep 1; done', [['a'], ['do', 'sleep', '1'], ['done']]],
  ];
  for (const [code, words] of cases)
    it(`reads ${JSON.stringify(code)}`, () => assert.deepEqual(shellCommands(code), words));
});

describe('wrongHawserCommands', () => {
  it('finds options and commands that there are not', async () => {
    assert.deepEqual(
      await wrongHawserCommands('hawser token create --uses 3\nhawser exec -it p -- sh -c x'),
      [],
    );
    assert.equal((await wrongHawserCommands('hawser token create --nonsense')).length, 1);
    assert.equal((await wrongHawserCommands('FILE=$(hawser devize list)')).length, 1);
    assert.equal((await wrongHawserCommands('hawser token create --uses many')).length, 1);
    assert.equal((await wrongHawserCommands('hawser join --cloud x')).length, 1, 'without a token');
  });

  it('lets a sentence leave arguments out', async () => {
    assert.deepEqual(await wrongMentions('hawser join --cloud'), []);
    assert.equal((await wrongMentions('hawser device list')).length, 1);
  });
});
