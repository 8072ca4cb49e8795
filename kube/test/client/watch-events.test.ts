import assert from 'node:assert/strict';
import { randomBelow, seededRandom } from '@hawser/seams';
import { decodeWatchEvents } from '../../src/client/watch-events.ts';
import { LineSplitter } from '../../src/client/line-splitter.ts';
import { recordings } from '../recordings.ts';

async function* chunked(bytes: Buffer, cuts: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (const cut of [...cuts, bytes.length]) {
    await Promise.resolve();
    yield bytes.subarray(start, cut);
    start = cut;
  }
}

async function decode(text: string, cuts: readonly number[] = [], limitBytes = 1 << 20): Promise<unknown[]> {
  const events = [];
  for await (const event of decodeWatchEvents(chunked(Buffer.from(text), cuts), limitBytes))
    events.push(event);
  return events;
}

const added = '{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"ä€😀","resourceVersion":"7"}}}';
const bookmarked = '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9"}}}';

describe('decodeWatchEvents', () => {
  it('gives the same events wherever the network cuts the bytes, inside characters too', async () => {
    const text = `${added}\n${bookmarked}\n`;
    const whole = await decode(text);
    assert.equal(whole.length, 2);
    const { length } = Buffer.from(text);
    for (let cut = 1; cut < length; cut++)
      assert.deepEqual(await decode(text, [cut]), whole, `cut at ${cut}`);
    const random = seededRandom(5);
    for (let round = 0; round < 50; round++) {
      const cuts = Array.from({ length: 6 }, () => randomBelow(random, length)).sort((a, b) => a - b);
      assert.deepEqual(await decode(text, cuts), whole, `cuts at ${cuts.join()}`);
    }
  });

  it('decodes every recorded watch', async () => {
    let events = 0;
    for (const { name, response, request } of recordings('watch').values()) {
      if (response.lines === undefined || (request.headers['Accept'] ?? '').includes('as=Table')) continue;
      const text = response.lines.map((line) => `${JSON.stringify(line)}\n`).join('');
      const decoded = (await decode(text)) as { type: string }[];
      assert.deepEqual(
        decoded.map(({ type }) => type),
        response.lines.map(({ type }) => type),
        name,
      );
      events += decoded.length;
    }
    assert.ok(events > 20, `${events} events`);
  });

  it('takes a whole last line without its newline, skips empty lines', async () => {
    assert.equal((await decode(`\n${added}\n\n${bookmarked}`)).length, 2);
  });

  it('says that the connection broke at half a line, after what came before', async () => {
    const events: unknown[] = [];
    const half = `${added}\n${bookmarked.slice(0, 30)}`;
    await assert.rejects(
      async () => {
        for await (const event of decodeWatchEvents(chunked(Buffer.from(half), []), 1000)) events.push(event);
      },
      { code: 'ERR_KUBE_CLIENT_CONNECTION' },
    );
    assert.equal(events.length, 1);
  });

  const nonsense: [string, string][] = [
    ['no JSON', 'hello'],
    ['null', 'null'],
    ['a number', '3'],
    ['no object', '{"type":"ADDED"}'],
    ['object null', '{"type":"ADDED","object":null}'],
    ['no version', '{"type":"ADDED","object":{"metadata":{"name":"a"}}}'],
    ['no name', '{"type":"ADDED","object":{"metadata":{"resourceVersion":"1"}}}'],
    ['no metadata', '{"type":"MODIFIED","object":{"kind":"Pod"}}'],
    ['an unknown type', '{"type":"RENAMED","object":{"metadata":{"name":"a","resourceVersion":"1"}}}'],
    ['an ERROR without Status', '{"type":"ERROR","object":{"kind":"Pod"}}'],
  ];
  for (const [what, line] of nonsense) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(decode(`${line}\n`), { code: 'ERR_KUBE_CLIENT_BAD_RESPONSE' });
    });
  }

  it('refuses a line over the limit without holding more than it', async () => {
    const splitter = new LineSplitter(100);
    const piece = Buffer.alloc(60, 'x');
    assert.deepEqual([...splitter.push(piece)], []);
    assert.throws(() => [...splitter.push(piece)], { code: 'ERR_KUBE_CLIENT_TOO_LARGE' });
    await assert.rejects(decode(`${added}\n`, [10, 20, 30], 40), { code: 'ERR_KUBE_CLIENT_TOO_LARGE' });
  });
});
