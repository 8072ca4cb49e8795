import assert from 'node:assert/strict';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { eventually, scaled } from '@hawser/seams/testing';
import { WsTransport } from '../../src/index.ts';
import { collectGarbage } from '../collect-garbage.ts';
import { openFrame, RawPeer } from '../ws/raw-peer.ts';
import { AttackedHub } from './attacked-hub.ts';
import { FUZZ_SEED } from './fuzz.ts';
import { GoodSession } from './good-session.ts';
import { WS_ATTACKS } from './ws-attacks.ts';

const FRAMES = scaled(200_000, 5_000_000);
const ATTACKERS = 12;
const NODES = 6;
const MIB = 1024 * 1024;

/** Sockets that this process has open. */
function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /^(TCP|TLS)/.test(name)).length;
}

class Storm {
  frames = 0;
  connections = 0;
  readonly ends = new Map<string, number>();
  readonly #hub: AttackedHub;
  readonly #random: Random;

  constructor(hub: AttackedHub, seed: number) {
    this.#hub = hub;
    this.#random = seededRandom(seed);
  }

  /** Attacks until so many frames were sent in all. */
  async blow(frames: number): Promise<void> {
    const attackers = Array.from({ length: ATTACKERS }, async () => {
      while (this.frames < frames) await this.#attackOnce();
    });
    await Promise.all(attackers);
  }

  async #attackOnce(): Promise<void> {
    const names = Object.keys(WS_ATTACKS);
    const name = names[randomBelow(this.#random, names.length)] ?? '';
    const chosen = WS_ATTACKS[name];
    assert.ok(chosen);
    const random = seededRandom(randomBelow(this.#random, 2 ** 32));
    const node = `hostile-${randomBelow(random, NODES)}`;
    const peer = await RawPeer.connect(this.#hub.port, await this.#hub.edge(node));
    this.connections += 1;
    // Most attack from within a session, some before it.
    if (randomBelow(random, 5) > 0) peer.hello(node);
    else if (randomBelow(random, 2) === 0) peer.send(openFrame(1, 'session'));
    await chosen.attack(peer, random, chosen.frames);
    this.frames += peer.sent;
    // Half of those that the hub did not end stay for a while: the others of the same node replace them.
    if (randomBelow(random, 2) === 0) peer.vanish();
    else peer.leave();
    const { reason, wsCode } = await peer.ended;
    const how = reason?.code ?? `WebSocket ${wsCode}`;
    this.ends.set(how, (this.ends.get(how) ?? 0) + 1);
  }
}

describe('A hub over WebSocket, attacked from all sides', function () {
  this.timeout(scaled(120_000, 3_600_000));
  let hub: AttackedHub;
  let socketsBefore: number;

  beforeEach(async () => {
    socketsBefore = openSockets();
    hub = await AttackedHub.open({
      create: (options) => new WsTransport(options),
      limits: { handshakeTimeoutMs: 2000 },
    });
  });

  afterEach(async () => {
    await hub.close();
    await eventually('all sockets are closed', () => openSockets() <= socketsBefore);
  });

  it(`keeps its other sessions and its memory, over ${FRAMES} hostile frames`, async () => {
    const good = await GoodSession.start(hub);
    await new Storm(hub, FUZZ_SEED + 1).blow(FRAMES / 10); // caches and compiled code have their size after this
    await hub.settlesAt(1);
    collectGarbage();
    const before = process.memoryUsage();

    const storm = new Storm(hub, FUZZ_SEED);
    await storm.blow(FRAMES);

    await hub.settlesAt(1);
    const echoes = good.echoes;
    await eventually('the good session goes on', () => good.echoes > echoes + 3);
    collectGarbage();
    const after = process.memoryUsage();
    const report = await good.stop();
    await hub.settlesAt(0);

    const grownBytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    assert.ok(grownBytes < 8 * MIB, `memory grew by ${grownBytes} bytes`);
    assert.ok(report.echoes > 20, `${report.echoes} echoes`);
    assert.ok(report.slowestMs < 3000, `an echo took ${report.slowestMs} ms`);
    assert.ok((storm.ends.get('protocol-error') ?? 0) > 0 && (storm.ends.get('limit-exceeded') ?? 0) > 0);
  });
});
