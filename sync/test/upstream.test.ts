import assert from 'node:assert/strict';
import { MAX_UPSTREAM_BYTES, packUpstream, unpackJson } from '../src/index.ts';

describe('the body of an Upstream', () => {
  const report = (message: string): { code: string; message: string; at: string } => ({
    code: 'PodUnreadable',
    message,
    at: '2026-01-01T00:00:00Z',
  });

  it('comes through as it was, up to the bound that the hub has', () => {
    const overhead = JSON.stringify(report('')).length;
    const largest = report('x'.repeat(MAX_UPSTREAM_BYTES - overhead));
    assert.deepEqual(unpackJson(packUpstream(largest), MAX_UPSTREAM_BYTES), largest);
  });

  it('is refused where it is made, and not by the hub, when it is larger, though it packs well', () => {
    const body = report('x'.repeat(MAX_UPSTREAM_BYTES));
    assert.throws(() => packUpstream(body), { code: 'ERR_SYNC_TOO_LARGE' });
  });
});
