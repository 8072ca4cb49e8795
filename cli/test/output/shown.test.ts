import assert from 'node:assert/strict';
import { coloursFor } from '../../src/output/colours.ts';
import { stderrLogger } from '../../src/output/stderr-logger.ts';
import { fields, table } from '../../src/output/table.ts';

describe('what is shown', () => {
  it('aligns columns, and leaves no blanks at the ends', () => {
    assert.equal(
      table([
        ['NAME', 'STATE'],
        ['a-long-name', 'Ready'],
        ['b', ''],
      ]),
      'NAME         STATE\na-long-name  Ready\nb',
    );
  });

  it('leaves out fields without a text', () => {
    assert.equal(
      fields([
        ['Node', 'a'],
        ['Pool', undefined],
        ['Store', 'b'],
      ]),
      'Node:  a\nStore: b',
    );
  });

  it('paints on a terminal only, and not where the environment says no', () => {
    assert.notEqual(coloursFor({ isTTY: true }, {}).bad('x'), 'x');
    assert.equal(coloursFor({ isTTY: false }, {}).bad('x'), 'x');
    assert.equal(coloursFor({}, {}).bad('x'), 'x');
    assert.equal(coloursFor({ isTTY: true }, { NO_COLOR: '1' }).bad('x'), 'x');
    assert.notEqual(coloursFor({ isTTY: true }, { NO_COLOR: '' }).bad('x'), 'x');
    assert.equal(coloursFor({ isTTY: true }, { TERM: 'dumb' }).bad('x'), 'x');
  });

  it('logs warnings always, and the rest when asked to', () => {
    const lines: string[] = [];
    const quiet = stderrLogger((line) => void lines.push(line), false);
    quiet.info({}, 'not said');
    quiet.child({ node: 'a' }).warn({ err: new Error('the reason') }, 'said');
    assert.deepEqual(lines, ['warn: said: the reason\n']);
    stderrLogger((line) => void lines.push(line), true)
      .child({ node: 'a' })
      .debug({ n: 1 }, 'too');
    assert.equal(lines[1], 'debug: too {"node":"a","n":1}\n');
  });
});
