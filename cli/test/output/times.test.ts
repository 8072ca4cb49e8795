import assert from 'node:assert/strict';
import {
  formatBytes,
  formatCount,
  formatRelative,
  formatSpan,
  formatTime,
  parseDuration,
} from '../../src/output/times.ts';

describe('times and sizes', () => {
  it('reads durations', () => {
    const readings = {
      '90s': 90_000,
      '30m': 1_800_000,
      '24h': 86_400_000,
      '7d': 604_800_000,
      '1h30m': 5_400_000,
    };
    for (const [text, ms] of Object.entries(readings)) assert.equal(parseDuration(text, '--ttl'), ms, text);
  });

  it('refuses what is no duration, and says how to write one', () => {
    for (const text of ['', '5', 'h', '-1h', '1.5h', '1w', '1h 30m', '24H']) {
      assert.throws(
        () => parseDuration(text, '--ttl'),
        { code: 'ERR_CLI_USAGE', message: /--ttl .*30m/ },
        text,
      );
    }
  });

  it('shows spans with what matters of them', () => {
    const spans: [number, string][] = [
      [-5, '0 s'],
      [59_000, '59 s'],
      [61_000, '1 min 1 s'],
      [120_000, '2 min'],
      [12 * 60_000 + 5000, '12 min'],
      [3_600_000, '1 h'],
      [3_600_000 * 3 + 20 * 60_000, '3 h 20 min'],
      [49 * 3_600_000, '2 days'],
    ];
    for (const [ms, text] of spans) assert.equal(formatSpan(ms), text);
  });

  it('shows moments', () => {
    assert.equal(formatTime('2026-11-22T03:10:05.123Z'), '2026-11-22 03:10:05 UTC');
    assert.equal(formatTime('nonsense'), '-');
    assert.equal(formatTime(undefined), '-');
    const nowMs = Date.parse('2026-11-22T00:00:00Z');
    assert.equal(formatRelative('2026-11-25T00:00:00Z', nowMs), 'in 3 days');
    assert.equal(formatRelative('2026-11-21T23:00:00Z', nowMs), '1 h ago');
  });

  it('shows sizes and counts', () => {
    assert.equal(formatBytes(512), '512 B');
    assert.equal(formatBytes(3500), '3.4 KiB');
    assert.equal(formatBytes(12 * 2 ** 20), '12 MiB');
    assert.equal(formatCount(1, 'object'), '1 object');
    assert.equal(formatCount(0, 'object'), '0 objects');
  });
});
