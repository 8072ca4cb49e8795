import assert from 'node:assert/strict';
import { LogLines, type LogLinesOptions } from '../../src/kubelet-endpoint/log-lines.ts';

const T = (nanos: number): string => `2026-01-02T03:04:05.${String(nanos).padStart(9, '0')}Z`;
const line = (nanos: number, text: string): string => `${T(nanos)} ${text}\n`;
const GAP =
  'hawser: lines may be missing here: the connection was lost, and the log was rotated or begun anew\n';

/** What comes out of texts that are fed one after the other; `null`: the tunnel was lost. */
function out(texts: readonly (string | null)[], options: Partial<LogLinesOptions> = {}): string {
  const lines = new LogLines({ strip: true, ...options });
  const passed = texts.map((text) => {
    if (text !== null) return lines.feed(Buffer.from(text)).toString();
    lines.resume();
    return '';
  });
  return [...passed, lines.end().toString()].join('');
}

/** The file of a log as an edge gives it: lines from an instant on. */
function since(file: readonly (readonly [number, string])[], from: string | undefined): string {
  return file
    .filter(([nanos]) => from === undefined || T(nanos) >= from)
    .map(([nanos, text]) => line(nanos, text))
    .join('');
}

describe('lines of a log on their way', () => {
  it('lose their timestamps, or keep them', () => {
    const text = line(1, 'one') + line(2, '') + line(3, '2026-01-02T03:04:05.000000001Z in the text');
    assert.equal(out([text]), 'one\n\n2026-01-02T03:04:05.000000001Z in the text\n');
    assert.equal(out([text], { strip: false }), text);
    const zoned = '2026-01-02T03:04:05.123456789+02:00 here\n2026-01-02T03:04:05Z there\n';
    assert.equal(out([zoned]), 'here\nthere\n');
  });

  it('pass unchanged where they have none', () => {
    for (const text of [
      'failed to open\n',
      '\n',
      'no end',
      '2026-01-02 is a day\n',
      'x'.repeat(100),
      '2026-01-02T',
    ]) {
      assert.equal(out([text]), text);
    }
    assert.equal(out(['2026-01-02T03:', '04:05.000000001', 'Z', ' a', 'b\nrest']), 'ab\nrest');
  });

  it('are cut off at the bytes that the client wants', () => {
    const text = line(1, 'abc') + line(2, 'def');
    assert.equal(out([text], { limitBytes: 6 }), 'abc\nde');
    assert.equal(out([text], { limitBytes: 20, strip: false }), text.slice(0, 20));
    const lines = new LogLines({ strip: true, limitBytes: 4 });
    lines.feed(Buffer.from(text));
    assert.ok(lines.full);
  });

  it('go on after a loss, wherever it was: none twice, none left out', () => {
    const file = [
      [1, 'a'],
      [2, 'bb'],
      [2, 'cc'],
      [2, 'dd'],
      [3, ''],
      [3, 'e'.repeat(50)],
      [4, 'f'],
    ] as const;
    const whole = since(file, undefined);
    for (const strip of [true, false]) {
      const wanted = strip ? file.map(([, text]) => `${text}\n`).join('') : whole;
      for (let first = 0; first <= whole.length; first++) {
        for (const second of [0, 1, 30, 60, 200]) {
          const lines = new LogLines({ strip, onGap: () => assert.fail('nothing is missing') });
          let passed = lines.feed(Buffer.from(whole.slice(0, first))).toString();
          lines.resume();
          passed += lines.feed(Buffer.from(since(file, lines.timestamp).slice(0, second))).toString();
          lines.resume();
          passed += lines.feed(Buffer.from(since(file, lines.timestamp))).toString();
          passed += lines.end().toString();
          assert.equal(passed, wanted, `cut at ${first}, then at ${second}`);
        }
      }
    }
  });

  it('go on though the edge gives earlier ones again', () => {
    const file = line(1, 'a') + line(2, 'b') + line(2, 'b') + line(3, 'c');
    assert.equal(out([line(1, 'a') + line(2, 'b'), null, file]), 'a\nb\nb\nc\n');
  });

  it('say so where what had passed does not come again', () => {
    let gaps = 0;
    const onGap = (): void => void (gaps += 1);
    assert.equal(out([line(1, 'a') + line(2, 'b'), null, line(9, 'z')], { onGap }), `a\nb\n${GAP}z\n`);
    assert.equal(out([line(1, 'a') + `${T(2)} hal`, null, line(9, 'z')], { onGap }), `a\nhal\n${GAP}z\n`);
    assert.equal(gaps, 2);
  });

  it('are the same where nothing had passed yet', () => {
    const lines = new LogLines({ strip: true });
    lines.resume();
    assert.equal(lines.timestamp, undefined);
    assert.equal(lines.feed(Buffer.from(line(1, 'a'))).toString(), 'a\n');
  });

  it('cost the same whether they are many or few', () => {
    const text = Buffer.from(line(1, 'x'.repeat(40)).repeat(1000));
    const lines = new LogLines({ strip: true });
    const startMs = performance.now();
    for (let index = 0; index < 100; index++) assert.equal(lines.feed(text).length, 41_000);
    assert.ok(performance.now() - startMs < 5000); // 100,000 lines
  });
});
