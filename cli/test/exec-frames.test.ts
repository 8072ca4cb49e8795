import assert from 'node:assert/strict';
import { createInflate } from 'node:zlib';
import { once } from 'node:events';
import { dataFrame, HeaderBlocks, pingFrame, SpdyFrames, synStreamFrame } from '@hawser/kube';
import { execEnd } from '../src/exec/exec-channel.ts';

describe('SPDY frames', () => {
  it('are those of the draft', () => {
    assert.equal(dataFrame(5, Buffer.from('ab')).toString('hex'), '00000005000000026162');
    assert.equal(dataFrame(3, Buffer.alloc(0), true).toString('hex'), '0000000301000000');
    assert.equal(pingFrame(2).toString('hex'), '800300060000000400000002');
    const syn = synStreamFrame(7, Buffer.from('ff', 'hex'));
    assert.equal(syn.toString('hex'), `800300010000000b00000007000000000000ff`);
  });

  it('have headers in one zlib stream, each block complete by itself', async () => {
    const blocks = new HeaderBlocks();
    const inflate = createInflate();
    for (const [name, value] of [
      ['streamtype', 'error'],
      ['streamtype', 'stdout'],
    ] as const) {
      const plain = once(inflate, 'data');
      inflate.write(blocks.next({ [name]: value }));
      const [bytes] = (await plain) as [Buffer];
      const expected = `\0\0\0\x01\0\0\0${String.fromCharCode(name.length)}${name}\0\0\0${String.fromCharCode(value.length)}${value}`;
      assert.equal(bytes.toString('latin1'), expected);
    }
    inflate.destroy();
  });

  it('are cut anew, however they come', () => {
    const sent = Buffer.concat([
      dataFrame(5, Buffer.from('hello')),
      Buffer.from('8003000300000008' + '00000003' + '00000005', 'hex'),
      pingFrame(4),
      Buffer.from('8003000700000008' + '00000000' + '00000000', 'hex'),
      Buffer.from('800300020000000400000001', 'hex'),
      dataFrame(5, Buffer.from('!'), true),
    ]);
    const expected = [
      { kind: 'data', stream: 5, bytes: 'hello', isLast: false },
      { kind: 'reset', stream: 3, status: 5 },
      { kind: 'ping', id: 4 },
      { kind: 'go-away' },
      { kind: 'other' },
      { kind: 'data', stream: 5, bytes: '!', isLast: true },
    ];
    for (const size of [1, 3, 8, 1000]) {
      const frames = new SpdyFrames(1024);
      const seen: unknown[] = [];
      for (let at = 0; at < sent.length; at += size) {
        for (const frame of frames.push(sent.subarray(at, at + size))) {
          seen.push('bytes' in frame ? { ...frame, bytes: frame.bytes.toString() } : frame);
        }
      }
      assert.deepEqual(seen, expected, `pieces of ${size}`);
    }
  });

  it('are refused where they are too long, or of another version', () => {
    assert.throws(() => new SpdyFrames(10).push(dataFrame(1, Buffer.alloc(11))), RangeError);
    assert.throws(() => new SpdyFrames(10).push(Buffer.from('8002000600000000', 'hex')), RangeError);
  });
});

describe('execEnd', () => {
  it('is what the error channel says', () => {
    const failed = { status: 'Failure', reason: 'NonZeroExitCode', message: 'exit code 3' };
    const cases: readonly [string, unknown][] = [
      ['', { exitCode: 0 }],
      ['{"status":"Success"}', { exitCode: 0 }],
      [
        JSON.stringify({ ...failed, details: { causes: [{ reason: 'ExitCode', message: '3' }] } }),
        { exitCode: 3 },
      ],
      [JSON.stringify(failed), { exitCode: 1, problem: 'exit code 3' }],
      ['{"status":"Failure","message":"no such file"}', { exitCode: 1, problem: 'no such file' }],
      ['something else', { exitCode: 1, problem: 'something else' }],
    ];
    for (const [text, end] of cases) assert.deepEqual(execEnd(text), end, text);
  });
});
