import assert from 'node:assert/strict';
import { HEARTBEAT_MS, TUNNEL_LIMITS, tunnelLimits } from '../src/index.ts';
import { MAX_MESSAGE_BYTES } from '../src/transport/mux/frame-sender.ts';

describe('Limits', () => {
  it('have a default, a unit and a meaning each, and are all on', () => {
    for (const [name, { default: value, unit, meaning }] of Object.entries(TUNNEL_LIMITS)) {
      assert.ok(Number.isFinite(value) && value > 0, name);
      assert.ok(unit.length > 0 && meaning.length > 20, name);
      if (name.endsWith('Ms')) assert.equal(unit, 'ms', name);
      if (name.endsWith('Bytes')) assert.equal(unit, 'bytes', name);
    }
  });

  it('are the defaults where nothing else is said', () => {
    const limits = tunnelLimits();
    assert.deepEqual(Object.keys(limits), Object.keys(TUNNEL_LIMITS));
    assert.equal(limits.maxHandshakes, 128);
    assert.equal(limits.maxFrameBytes, 4 * 1024 * 1024);
  });

  it('can be set one by one, and leave the defaults alone', () => {
    assert.equal(tunnelLimits({ maxStreams: 3 }).maxStreams, 3);
    assert.equal(tunnelLimits({ maxStreams: 3 }).streamWindowBytes, TUNNEL_LIMITS.streamWindowBytes.default);
    assert.equal(tunnelLimits().maxStreams, TUNNEL_LIMITS.maxStreams.default);
  });

  it('fit each other', () => {
    const limits = tunnelLimits();
    assert.ok(limits.maxHandshakeFrameBytes <= limits.maxFrameBytes);
    assert.ok(limits.maxHandshakeFrameBytes <= limits.streamWindowBytes, 'a hello fits into a window');
    assert.ok(
      limits.maxHandshakesPerAddress * 2 <= limits.maxHandshakes,
      'one address leaves room for others',
    );
    assert.ok(limits.maxConnectionsPerAddress <= limits.maxConnections);
    assert.ok(limits.sendBufferBytes >= MAX_MESSAGE_BYTES / 2, 'room for a full message');
    const { min, default: usual, max }: Readonly<Record<string, number>> = HEARTBEAT_MS;
    assert.deepEqual(
      [min, usual, max].toSorted((a = 0, b = 0) => a - b),
      [min, usual, max],
    );
    // One WINDOW for the whole window must be a number of the multiplexer.
    assert.ok(limits.streamWindowBytes < 2 ** 31);
  });
});
