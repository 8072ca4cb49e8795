import assert from 'node:assert/strict';
import { HttpAnswerReader, type HttpAnswer } from '../../src/probes/http-answer-reader.ts';

/** Feeds it in pieces of `size` bytes; the connection ends where nothing else has ended it. */
function read(text: string, size: number): HttpAnswer {
  const bytes = Buffer.from(text, 'latin1');
  const reader = new HttpAnswerReader();
  for (let at = 0; at < bytes.length; at += size) {
    const answer = reader.push(bytes.subarray(at, at + size));
    if (answer !== undefined) return answer;
  }
  return reader.end();
}

describe('HttpAnswerReader', () => {
  const long = 'x'.repeat(20_000);
  const good: [what: string, text: string, status: number, body: string, location?: string][] = [
    ['a body of a length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhellorest', 200, 'hello'],
    ['no body', 'HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n', 200, ''],
    ['a body until the end', 'HTTP/1.0 500 No\r\n\r\nhello', 500, 'hello'],
    ['no reason', 'HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n', 404, ''],
    ['an answer that has no body by its status', 'HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n', 304, ''],
    [
      'chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n',
      200,
      'abc0123456789',
    ],
    ['lines without a return', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', 200, 'ok'],
    [
      'answers before the answer',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLocation: /no\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      200,
      'ok',
    ],
    [
      'where to go',
      'HTTP/1.1 302 Found\r\nLOCATION:  /there \r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n',
      302,
      '',
      '/there',
    ],
    ['ten kibibytes of more', `HTTP/1.1 200 OK\r\n\r\n${long}`, 200, long.slice(0, 10_240)],
    [
      'ten kibibytes of a longer one',
      `HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n${long}`,
      200,
      long.slice(0, 10_240),
    ],
    [
      'ten kibibytes of chunks',
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n4E20\r\n${long}`,
      200,
      long.slice(0, 10_240),
    ],
  ];
  for (const [what, text, status, body, location] of good) {
    it(`reads ${what}, however it is cut`, () => {
      for (const size of [1, 2, 3, 7, 100, 100_000]) {
        assert.deepEqual(read(text, size), { status, body, location }, `pieces of ${size}`);
      }
    });
  }

  const bad: [what: string, text: string, error: RegExp][] = [
    ['nothing', '', /^Error: EOF$/],
    ['half a head', 'HTTP/1.1 200 OK\r\nContent', /unexpected EOF/],
    ['half a body', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel', /unexpected EOF/],
    ['half of its chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel', /unexpected EOF/],
    ['another protocol', '220 mail.example.org ready\r\n', /malformed HTTP response/],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n', /malformed HTTP response/],
    ['a status that is none', 'HTTP/1.1 2000 OK\r\n\r\n', /malformed HTTP response/],
    ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', /bad Content-Length/],
    [
      'chunks that are none',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
      /malformed chunked encoding/,
    ],
    ['a head without an end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}`, /too long/],
  ];
  for (const [what, text, error] of bad) {
    it(`refuses ${what}`, () => {
      for (const size of [text.length < 1000 ? 1 : 4096, 100_000])
        assert.throws(() => read(text, size), error);
    });
  }

  it('takes little time over many small chunks', () => {
    const text = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(10_240)}`;
    const startedMs = performance.now();
    assert.equal(read(text, 1_000).body.length, 10_240);
    assert.ok(performance.now() - startedMs < 2_000);
  });
});
