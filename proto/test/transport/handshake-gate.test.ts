import assert from 'node:assert/strict';
import { FakeClock } from '@hawser/seams/testing';
import { HandshakeGate, tunnelLimits, type Admission, type TunnelLimits } from '../../src/index.ts';
import { collectGarbage } from '../collect-garbage.ts';

const UNLIMITED = {
  maxHandshakes: 1e9,
  maxHandshakesPerAddress: 1e9,
  handshakesPerSecond: 1e9,
  maxConnections: 1e9,
  maxConnectionsPerAddress: 1e9,
};

function gateWith(limits: Partial<TunnelLimits>, clock = new FakeClock()): HandshakeGate {
  return new HandshakeGate(tunnelLimits({ ...UNLIMITED, ...limits }), clock);
}

function enter(gate: HandshakeGate, address = '192.0.2.1'): Admission {
  const admission = gate.tryEnter(address);
  assert.ok(typeof admission !== 'string', `refused: ${JSON.stringify(admission)}`);
  return admission;
}

describe('HandshakeGate', () => {
  it('counts handshakes and connections', () => {
    const gate = gateWith({});
    const first = enter(gate);
    const second = enter(gate);
    assert.deepEqual([gate.handshakes, gate.connections], [2, 2]);
    first.established();
    assert.deepEqual([gate.handshakes, gate.connections], [1, 2]);
    first.release();
    second.release();
    assert.deepEqual([gate.handshakes, gate.connections], [0, 0]);
  });

  it('takes established and release any number of times, in any order', () => {
    const gate = gateWith({});
    const admission = enter(gate);
    const other = enter(gate);
    for (const step of ['established', 'established', 'release', 'release', 'established'] as const)
      admission[step]();
    assert.deepEqual([gate.handshakes, gate.connections], [1, 1]);
    other.release();
    other.established();
    assert.deepEqual([gate.handshakes, gate.connections], [0, 0]);
  });

  it('refuses by the number of handshakes, until one is over', () => {
    const gate = gateWith({ maxHandshakes: 2 });
    const first = enter(gate, '192.0.2.1');
    enter(gate, '192.0.2.2');
    assert.equal(gate.tryEnter('192.0.2.3'), 'handshakes');
    first.established();
    enter(gate, '192.0.2.3');
  });

  it('refuses by the number of handshakes of one address, and lets others in', () => {
    const gate = gateWith({ maxHandshakesPerAddress: 1 });
    const first = enter(gate, '192.0.2.1');
    assert.equal(gate.tryEnter('192.0.2.1'), 'handshakes-per-address');
    enter(gate, '192.0.2.2');
    first.established();
    enter(gate, '192.0.2.1');
  });

  it('refuses by the number of connections, until one is over', () => {
    const gate = gateWith({ maxConnections: 1 });
    const first = enter(gate);
    first.established();
    assert.equal(gate.tryEnter('192.0.2.2'), 'connections');
    first.release();
    enter(gate, '192.0.2.2');
  });

  it('refuses by the number of connections of one address, and lets others in', () => {
    const gate = gateWith({ maxConnectionsPerAddress: 1 });
    const first = enter(gate, '192.0.2.1');
    first.established();
    assert.equal(gate.tryEnter('192.0.2.1'), 'connections-per-address');
    enter(gate, '192.0.2.2');
    first.release();
    enter(gate, '192.0.2.1');
  });

  it('refuses by the rate: two seconds’ worth in a burst, then as time goes by', async () => {
    const clock = new FakeClock();
    const gate = gateWith({ handshakesPerSecond: 10 }, clock);
    for (let i = 0; i < 20; i++) enter(gate).release();
    assert.equal(gate.tryEnter('192.0.2.1'), 'rate');
    await clock.advance(99);
    assert.equal(gate.tryEnter('192.0.2.1'), 'rate');
    await clock.advance(1);
    enter(gate).release();
    assert.equal(gate.tryEnter('192.0.2.1'), 'rate');
    await clock.advance(1_000_000);
    for (let i = 0; i < 20; i++) enter(gate).release();
    assert.equal(gate.tryEnter('192.0.2.1'), 'rate', 'a long silence saves up no more than a burst');
  });

  it('lets refusals take nothing from the rate', () => {
    const gate = gateWith({ handshakesPerSecond: 1, maxConnections: 1 });
    const first = enter(gate);
    for (let i = 0; i < 100; i++) assert.equal(gate.tryEnter('192.0.2.1'), 'connections');
    first.release();
    enter(gate);
  });

  it('refuses everybody once it is closed', () => {
    const gate = gateWith({});
    const first = enter(gate);
    gate.close();
    assert.equal(gate.tryEnter('192.0.2.1'), 'closed');
    first.release();
    assert.equal(gate.connections, 0);
  });

  it('counts refusals by reason', () => {
    const gate = gateWith({ maxHandshakes: 1 });
    enter(gate);
    gate.tryEnter('192.0.2.1');
    gate.tryEnter('192.0.2.2');
    gate.close();
    gate.tryEnter('192.0.2.3');
    assert.deepEqual(
      [...gate.refused],
      [
        ['handshakes', 2],
        ['closed', 1],
      ],
    );
  });

  it('remembers no address that has no connection', () => {
    const gate = gateWith({ maxConnections: 1 });
    const address = (i: number): string => `2001:db8::${(i >> 16).toString(16)}:${(i & 0xffff).toString(16)}`;
    for (let i = 0; i < 1000; i++) enter(gate, address(i)).release();
    const stays = enter(gate);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 200_000; i++) assert.equal(gate.tryEnter(address(i)), 'connections');
    stays.release();
    for (let i = 0; i < 200_000; i++) enter(gate, address(i)).release();
    collectGarbage();
    const grown = process.memoryUsage().heapUsed - before;
    assert.ok(grown < 1024 * 1024, `${grown} bytes`);
    assert.equal(gate.connections, 0); // and keeps the gate alive until it was measured
  });
});
