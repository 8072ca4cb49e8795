import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { Screen } from '../../src/demo/screen.ts';
import type { ViewLine, ViewSize } from '../../src/demo/view.ts';

const ESCAPE = '\u001b';

class FakeTerminal extends EventEmitter {
  columns = 80;
  rows = 24;
  readonly written: string[] = [];

  write(text: string): void {
    this.written.push(text);
  }
}

/** What stands where, after everything that was written; only what the screen uses is understood. */
function shown(written: readonly string[]): Map<number, string> {
  const lines = new Map<number, string>();
  const drawn = new RegExp(`${ESCAPE}\\[(\\d+);1H(.*?)${ESCAPE}\\[K`, 'g');
  for (const [, row = '', text = ''] of written.join('').matchAll(drawn)) lines.set(Number(row), text);
  return lines;
}

describe('the screen of the demonstration', () => {
  const sizes: ViewSize[] = [];
  const render = (size: ViewSize): readonly ViewLine[] => {
    sizes.push(size);
    return Array.from({ length: size.rows }, (_, row) => ({
      text: `line ${row}`,
      tone: row === 0 ? ('bad' as const) : ('plain' as const),
    }));
  };

  it('draws each line in its place, in one write, and clears nothing before', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, render, {});
    screen.open();
    terminal.written.length = 0;
    screen.draw();
    assert.equal(terminal.written.length, 1);
    assert.doesNotMatch(terminal.written.join(), /\[2J|\n/);
    const lines = shown(terminal.written);
    assert.deepEqual(
      [...lines.keys()],
      Array.from({ length: 24 }, (_, index) => index + 1),
    );
    assert.equal(lines.get(1), '\u001b[31mline 0\u001b[0m');
    assert.equal(lines.get(24), 'line 23');
    screen.close();
  });

  it('is drawn anew when the terminal has another size', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, render, {});
    screen.open();
    Object.assign(terminal, { columns: 40, rows: 10 });
    terminal.written.length = 0;
    terminal.emit('resize');
    assert.deepEqual(sizes.at(-1), { columns: 40, rows: 10 });
    assert.equal(shown(terminal.written).size, 10);
    screen.close();
  });

  it('gives the terminal back once, as it was, and draws no more', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, render, {});
    screen.draw();
    assert.deepEqual(terminal.written, []);
    screen.open();
    screen.open();
    screen.close();
    const count = terminal.written.length;
    screen.close();
    screen.draw();
    terminal.emit('resize');
    assert.equal(terminal.written.length, count);
    const all = terminal.written.join('');
    for (const mode of ['?1049', '?25', '?7']) {
      const switched = [...all.matchAll(new RegExp(`\u001b\\[\\${mode}([hl])`, 'g'))].map(([, how]) => how);
      assert.deepEqual(switched, mode === '?1049' ? ['h', 'l'] : ['l', 'h'], mode);
    }
    assert.equal(terminal.listenerCount('resize'), 0);
  });

  it('has no colours where NO_COLOR is set', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal, render, { NO_COLOR: '1' });
    screen.open();
    assert.equal(shown(terminal.written).get(1), 'line 0');
    screen.close();
  });
});
