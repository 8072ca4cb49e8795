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

describe('HandshakeGate, where connections wait', () => {
  /** Comes in, and notes under `name` what it is told. */
  function come(gate: HandshakeGate, told: string[], name: string, address = '192.0.2.1'): Admission {
    const admission = gate.enter(address, {
      begin: () => told.push(`${name} begins`),
      giveUp: () => told.push(`${name} gives up`),
    });
    assert.ok(typeof admission !== 'string', `${name} was refused: ${JSON.stringify(admission)}`);
    return admission;
  }

  const turn = { begin: () => assert.fail('begins'), giveUp: () => assert.fail('gives up') };

  it('lets them begin at once while there is room, and in the order of their coming then', () => {
    const gate = gateWith({ maxHandshakes: 1 });
    const told: string[] = [];
    const places = ['a', 'b', 'c'].map((name) => come(gate, told, name));
    assert.deepEqual(told, ['a begins']);
    assert.deepEqual([gate.handshakes, gate.waiting, gate.connections], [1, 2, 3]);
    places[0]?.established();
    assert.deepEqual(told, ['a begins', 'b begins']);
    places[1]?.release();
    assert.deepEqual(told, ['a begins', 'b begins', 'c begins']);
    assert.deepEqual([gate.handshakes, gate.waiting, gate.connections], [1, 0, 2]);
    for (const place of places) place.release();
    assert.deepEqual([gate.handshakes, gate.waiting, gate.connections], [0, 0, 0]);
    assert.equal(gate.refused.size, 0);
  });

  it('lets nobody wait behind those of an address that has its share', () => {
    const gate = gateWith({ maxHandshakes: 2, maxHandshakesPerAddress: 1 });
    const told: string[] = [];
    const first = come(gate, told, 'a', '192.0.2.1');
    come(gate, told, 'b', '192.0.2.1');
    const other = come(gate, told, 'c', '192.0.2.2');
    come(gate, told, 'd', '192.0.2.3');
    assert.deepEqual(told, ['a begins', 'c begins']);
    other.established();
    assert.deepEqual(told, ['a begins', 'c begins', 'd begins'], 'b is passed over');
    first.established();
    assert.deepEqual(told, ['a begins', 'c begins', 'd begins', 'b begins']);
  });

  it('lets them begin as the rate allows', async () => {
    const clock = new FakeClock();
    const gate = gateWith({ handshakesPerSecond: 10 }, clock);
    for (let i = 0; i < 20; i++) enter(gate);
    const told: string[] = [];
    const places = ['a', 'b'].map((name) => come(gate, told, name));
    assert.deepEqual(told, []);
    await clock.advance(99);
    assert.deepEqual(told, []);
    await clock.advance(1);
    assert.deepEqual(told, ['a begins']);
    await clock.advance(100);
    assert.deepEqual(told, ['a begins', 'b begins']);
    for (const place of places) place.release();
    assert.equal(clock.pendingTimers, 0);
  });

  it('bounds how many wait, in all and of one address, and for how long', async () => {
    const clock = new FakeClock();
    const limits = { maxHandshakes: 1, maxWaitingHandshakes: 3, maxWaitingHandshakesPerAddress: 2 };
    const gate = gateWith({ ...limits, handshakeWaitMs: 1000 }, clock);
    enter(gate, '192.0.2.9');
    const told: string[] = [];
    const places = [come(gate, told, 'a'), come(gate, told, 'b')];
    assert.equal(gate.enter('192.0.2.1', turn), 'handshakes');
    await clock.advance(500);
    places.push(come(gate, told, 'c', '192.0.2.2'));
    assert.equal(gate.enter('192.0.2.3', turn), 'handshakes');
    await clock.advance(499);
    assert.deepEqual(told, []);
    await clock.advance(1);
    assert.deepEqual(told, ['a gives up', 'b gives up']);
    assert.equal(gate.refused.get('handshakes'), 4);
    assert.equal(gate.connections, 4, 'their places are theirs until they are gone');
    for (const place of places) place.release();
    assert.deepEqual([gate.waiting, gate.connections, clock.pendingTimers], [0, 1, 0]);
  });

  it('forgets those who leave while they wait, and takes every end any number of times', () => {
    const clock = new FakeClock();
    const gate = gateWith({ maxHandshakes: 1 }, clock);
    const first = enter(gate);
    const told: string[] = [];
    const leaves = come(gate, told, 'a');
    const stays = come(gate, told, 'b');
    for (let i = 0; i < 3; i++) {
      leaves.established();
      leaves.release();
    }
    assert.deepEqual([gate.handshakes, gate.waiting, gate.connections], [1, 1, 2]);
    first.release();
    assert.deepEqual(told, ['b begins']);
    stays.release();
    assert.deepEqual([gate.handshakes, gate.waiting, gate.connections, clock.pendingTimers], [0, 0, 0, 0]);
  });

  it('gives all up once it is closed', () => {
    const clock = new FakeClock();
    const gate = gateWith({ maxHandshakes: 1, handshakesPerSecond: 1 }, clock);
    const first = enter(gate);
    const told: string[] = [];
    come(gate, told, 'a');
    come(gate, told, 'b');
    gate.close();
    assert.deepEqual(told, ['a gives up', 'b gives up']);
    assert.equal(gate.enter('192.0.2.1', turn), 'closed');
    first.release();
    assert.equal(told.length, 2);
    assert.equal(clock.pendingTimers, 0);
  });
});
