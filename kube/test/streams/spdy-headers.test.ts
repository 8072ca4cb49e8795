import assert from 'node:assert/strict';
import { deflateSync } from 'node:zlib';
import { HeaderBlocks, HeaderReader, SPDY_DICTIONARY } from '../../src/index.ts';

describe('headers of SPDY', () => {
  let reader: HeaderReader;

  beforeEach(() => {
    reader = new HeaderReader();
  });
  afterEach(() => reader.close());

  it('begin with the dictionary of the draft, which has this checksum', () => {
    const packed = deflateSync('', { dictionary: SPDY_DICTIONARY });
    assert.equal(packed.subarray(2, 6).toString('hex'), 'e3c6a7c2');
  });

  it('are read block by block, in their order', async () => {
    const blocks = new HeaderBlocks();
    for (const headers of [{ streamtype: 'error' }, { streamtype: 'data', port: '80' }, {}])
      assert.deepEqual(Object.fromEntries(await reader.read(blocks.next(headers))), headers);
  });

  it('are refused where they are damaged', async () => {
    await assert.rejects(reader.read(Buffer.from('no zlib at all')));
  });
});
