import assert from 'node:assert/strict';
import { jsonLogger, type JsonLoggerOptions } from '../../src/log/json-logger.ts';

function lines(
  options: Partial<JsonLoggerOptions>,
  use: (log: ReturnType<typeof jsonLogger>) => void,
): string[] {
  const written: string[] = [];
  use(
    jsonLogger({
      level: 'info',
      format: 'json',
      wallMs: () => Date.UTC(2026, 0, 1),
      write: (line) => written.push(line) > 0,
      ...options,
    }),
  );
  return written;
}

describe('log lines', () => {
  it('are one object each, with what was bound', () => {
    const [line, ...rest] = lines({}, (log) =>
      log.child({ component: 'x' }).info({ pod: 'a/b', gone: undefined }, 'hello'),
    );
    assert.equal(
      line,
      '{"level":"info","time":"2026-01-01T00:00:00.000Z","component":"x","pod":"a/b","msg":"hello"}\n',
    );
    assert.deepEqual(rest, []);
  });

  it('end at the level that is wanted', () => {
    const all = (log: ReturnType<typeof jsonLogger>): void => {
      for (const level of ['error', 'warn', 'info', 'debug'] as const) log[level]({}, level);
    };
    assert.equal(lines({ level: 'error' }, all).length, 1);
    assert.equal(lines({ level: 'warn' }, all).length, 2);
    assert.equal(lines({ level: 'debug' }, all).length, 4);
  });

  it('show errors with code and cause', () => {
    const error = Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'ERR_X' });
    const [line = ''] = lines({}, (log) => log.error({ err: error }, 'it failed'));
    const { err } = JSON.parse(line) as { err: Record<string, unknown> };
    assert.deepEqual(
      [err['message'], err['code'], (err['cause'] as { message: string }).message],
      ['outer', 'ERR_X', 'inner'],
    );
  });

  it('stay lines, whatever is in them', () => {
    const cyclic: Record<string, unknown> = { big: 10n ** 20n };
    const [big = ''] = lines({}, (log) => log.info(cyclic, 'a'));
    assert.match(big, /"big":"100000000000000000000"/);
    cyclic['self'] = cyclic;
    const [line = ''] = lines({}, (log) => log.info(cyclic, 'a\nb'));
    assert.match(line, /unprintable/);
    const [long = ''] = lines({}, (log) => log.info({ text: 'x'.repeat(100_000) }, 'long'));
    assert.ok(long.length < 20_000);
    assert.deepEqual((JSON.parse(long) as { msg: string }).msg, 'long');
    const [text = ''] = lines({ format: 'text' }, (log) => log.warn({ pod: 'a', n: 1 }, 'two\nlines'));
    assert.equal(text, '00:00:00.000 WARN  two ↵ lines pod=a n=1\n');
    const [journal = ''] = lines({ format: 'journal' }, (log) => log.warn({ pod: 'a', n: 1 }, 'two\nlines'));
    assert.equal(journal, '<4>two ↵ lines pod=a n=1\n');
  });

  it('that nobody takes are counted, and said with the next one', () => {
    let takes = false;
    const written: string[] = [];
    const log = jsonLogger({ level: 'info', format: 'json', write: (line) => (written.push(line), takes) });
    log.info({}, 'lost 1');
    log.info({}, 'lost 2');
    takes = true;
    log.info({}, 'there');
    log.info({}, 'again');
    assert.match(written[2] ?? '', /"linesLost":2/);
    assert.doesNotMatch(written[3] ?? '', /linesLost/);
  });
});
