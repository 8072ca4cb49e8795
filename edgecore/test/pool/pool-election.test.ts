import assert from 'node:assert/strict';
import { seededRandom } from '@hawser/seams';
import { FakeClock } from '@hawser/seams/testing';
import type { Contender } from '../../src/pool/leader-order.ts';
import type { PeerStatus } from '../../src/pool/peer-messages.ts';
import { PoolElection, type Elector } from '../../src/pool/pool-election.ts';
import { poolTimes } from '../../src/pool/pool-times.ts';

const NAMES = ['n1', 'n2', 'n3', 'n4'] as const;
const EPOCH = 3;
const VERSION = '7';

describe('An election without a cloud', () => {
  it('is won by one, where all have waited for another one that had not yet missed the leader', async () => {
    const clock = new FakeClock();
    const { heartbeatMs, probeMs } = poolTimes();
    const elections = new Map<string, PoolElection>();
    const statusOf = (node: string): PeerStatus => {
      // The last of them heard the leader nearly a heartbeat later than the others.
      const follows = node === 'n4' && clock.monotonicMs() < heartbeatMs * 0.9;
      const leads = elections.get(node)?.won ?? false;
      return {
        ...{ node, pool: 'shop', endpoint: `${node}.lan:1`, life: '', epoch: EPOCH, version: VERSION },
        ...{ rosterVersion: VERSION, complete: true, provisional: leads, cloud: false, cloudMs: -1 },
        ...{ state: follows ? 'LIVE' : 'GRACE', leader: follows ? 'gone' : leads ? node : '' },
        ...{ leads, ready: leads, electing: node !== 'n4', stopping: false },
      };
    };
    for (const name of NAMES.slice(0, 3))
      elections.set(
        name,
        new PoolElection({
          ask: ({ name: asked }) => Promise.resolve({ status: statusOf(asked), handover: '' }),
          ...{ isBusy: () => false, times: () => poolTimes(), onChange: () => {} },
          ...{ clock, random: seededRandom(1) },
        }),
      );
    // What each knows of the others is from before: it takes itself for the first of them.
    const electorOf = (name: string, version: string): Elector => {
      const contender: Contender = {
        ...{ node: name, epoch: EPOCH, provisional: false, complete: true, version, heardByCloud: false },
      };
      return { name, endpoint: `${name}.lan:1`, eligible: true, contender, unreached: false };
    };
    const winners = (): readonly string[] => [...elections].flatMap(([name, { won }]) => (won ? [name] : []));
    let firstMs = Infinity;
    while (clock.monotonicMs() < firstMs + probeMs && clock.monotonicMs() < 30_000) {
      for (const [name, election] of elections) {
        const others = NAMES.filter((other) => other !== name).map((other) => electorOf(other, '5'));
        election.look(electorOf(name, VERSION), others);
      }
      await clock.advance(50);
      if (winners().length > 0) firstMs = Math.min(firstMs, clock.monotonicMs());
    }
    // Until it finds the others, they ask it first.
    assert.deepEqual(winners(), ['n1']);
    assert.ok(firstMs < heartbeatMs * 2, `${firstMs} ms`);
  });
});
