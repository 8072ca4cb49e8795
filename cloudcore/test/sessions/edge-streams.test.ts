import assert from 'node:assert/strict';
import { streamPair } from '@hawser/proto/testing';
import type { Stream } from '@hawser/proto';
import { silentLogger } from '@hawser/seams';
import { serveEdgeStreams } from '../../src/sessions/edge-streams.ts';

describe('streams that an edge opens', () => {
  it('go to who serves their kind, and are reset where nobody does', async () => {
    const pairs = ['api', 'later', 'kubelet', 'api'].map((kind) => streamPair({ kind }));
    const coming: (Stream | undefined)[] = [...pairs.map(({ far }) => far), undefined];
    const taken: Stream[] = [];
    const handlers = new Map([['api', (stream: Stream): void => void taken.push(stream)]]);
    await serveEdgeStreams({ acceptStream: () => Promise.resolve(coming.shift()) }, handlers, silentLogger);
    assert.deepEqual(taken, [pairs[0]?.far, pairs[3]?.far]);
    for (const pair of pairs.slice(1, 3)) {
      const error = (await pair.near.closed) as { readonly code?: string } | undefined;
      assert.equal(error?.code, 'ERR_TUNNEL_STREAM_RESET');
    }
  });
});
