import assert from 'node:assert/strict';
import { randomBelow } from '@hawser/seams';
import { FakeClock, scaled } from '@hawser/seams/testing';
import { VirtualPool } from '../../testing/pool/virtual-pool.ts';

/** Each is a pool of its own; `HAWSER_SIM_SEED` repeats one. */
const SEEDS = process.env['HAWSER_SIM_SEED'];
const ALL = Array.from({ length: scaled(6, 400) }, (_, index) => index + 1);
const STEPS = 12;

describe('Pools under random cuts, deaths and returns', () => {
  for (const seed of SEEDS === undefined ? ALL : [Number(SEEDS)])
    it(`have one leader once all is well, and never go back (seed ${seed})`, () => run(seed));
});

async function run(seed: number): Promise<void> {
  const clock = new FakeClock();
  const pool = new VirtualPool({ clock, members: 3 + (seed % 5), seed });
  const { random } = pool;
  try {
    await pool.start();
    for (let step = 0; step < STEPS; step += 1) {
      await act(pool);
      await clock.advance(randomBelow(random, 20_000));
      assert.ok(pool.cloud.mostStreams <= 1, 'no resource has two streams that are not granted');
      const most = Math.max(1, Math.floor(pool.members.size / 10));
      const direct = new Set(
        [...pool.cloud.streams].flatMap((stream) => (stream.direct ? [stream.node] : [])),
      );
      assert.ok(direct.size <= most, 'no more go without a leader than may');
    }
    await offlineQuiet(pool);
    pool.lan.heal();
    for (const member of pool.members.values()) {
      if (!member.runs) await member.start();
      member.process.goOn();
      member.healCloud();
    }
    pool.write(0);
    await pool.until(`all is well (seed ${seed})`, () => pool.isQuiet, 90_000, 250);
    assert.deepEqual(pool.faults, []);
  } finally {
    await pool.stop();
  }
}

/** With the cloud away for everybody, each part of the LAN has one leader in the end: here it is whole. */
async function offlineQuiet(pool: VirtualPool): Promise<void> {
  if (pool.random.next() < 0.5) return;
  pool.lan.heal();
  for (const member of pool.running) {
    member.process.goOn();
    member.cutCloud(true);
  }
  const knowing = pool.running.filter(({ member }) => member.roster !== undefined);
  if (knowing.length < 2 || knowing.length < pool.running.length) return;
  await pool.until('there is one leader', () => pool.isLed(pool.running), 60_000, 250);
}

async function act(pool: VirtualPool): Promise<void> {
  const { random } = pool;
  const members = [...pool.members.values()];
  const member = members[randomBelow(random, members.length)];
  const other = members[randomBelow(random, members.length)];
  assert.ok(member !== undefined && other !== undefined);
  switch (randomBelow(random, 12)) {
    case 0:
    case 1:
      pool.write(randomBelow(random, 5));
      return;
    case 2:
      if (member.runs) member.kill(random.next() < 0.3);
      return;
    case 3:
      if (member.runs && !member.process.isStopped) await stopped(pool, () => member.stop());
      return;
    case 4:
    case 5:
      if (!member.runs) await member.start();
      return;
    case 6:
      if (member.runs && !member.line.isCut) member.cutCloud(random.next() < 0.5);
      return;
    case 7:
      member.healCloud();
      return;
    case 8:
      pool.lan.isolate(member.node);
      return;
    case 9:
      pool.lan.heal();
      return;
    case 10:
      if (member !== other) pool.lan.split([member.node], [other.node]);
      return;
    default:
      if (member.process.isStopped) member.process.goOn();
      else if (member.runs) member.process.stop();
      member.process.skewMs = (random.next() - 0.5) * 7_200_000;
  }
}

/** A stop waits for time that only this test moves. */
async function stopped(pool: VirtualPool, stop: () => Promise<void>): Promise<void> {
  let isOver = false;
  const over = stop().then(() => (isOver = true));
  await pool.until('it has stopped', () => isOver, 10_000, 100);
  await over;
}
