import assert from 'node:assert/strict';
import { scaled } from '@hawser/seams/testing';
import { POOL_SCHEDULES, PoolSimulation, simulatePools } from '../../sim/pools/pool-simulation.ts';
import { runSeeds } from '../../sim/run-seeds.ts';

/** Seeds that once failed, for what was wrong then; what a seed does changes with the simulator. */
const REGRESSIONS: readonly number[] = [8, 28, 38, 62, 103, 110, 141_150_716, 141_150_810];

/** One seed, to look at closely: `HAWSER_SIM_SEED=n`. */
const WANTED = process.env['HAWSER_SIM_SEED'];

async function run(seed: number): Promise<void> {
  const { failures, trace } = await simulatePools(seed);
  const again = `HAWSER_SIM_SEED=${seed} runs this one alone`;
  assert.deepEqual(failures, [], `seed ${seed}: ${failures.join('; ')}\n${again}\n${trace.join('\n')}`);
}

describe('Pools, simulated', function () {
  if (WANTED !== undefined) {
    it(`seed ${WANTED}`, async function () {
      this.timeout(120_000);
      await run(Number(WANTED));
    });
    return;
  }

  it('do the same with the same seed', async function () {
    this.timeout(60_000);
    for (const seed of [4]) {
      const { trace } = await simulatePools(seed);
      assert.deepEqual((await simulatePools(seed)).trace, trace);
    }
  });

  it('notice a hub that gives a resource to two at once', async () => {
    const simulation = new PoolSimulation(1);
    for (const { cloud } of simulation.pools) cloud.refusalOf = () => undefined;
    simulation.time.setTimer(10_000, () => {
      for (const { cloud } of simulation.pools)
        for (const stream of [...cloud.streams]) cloud.streams.add({ ...stream, node: 'somebody else' });
    });
    const { failures } = await simulation.run();
    assert.match(failures[0] ?? '', /from the cloud at once/);
  });

  it('notice a state that the cloud has never signed, and one that it did not have', async () => {
    const simulation = new PoolSimulation(1);
    const { signed } = simulation;
    simulation.time.setTimer(5_000, () => (signed.find = () => undefined));
    assert.match((await simulation.run()).failures[0] ?? '', /which the cloud has never signed/);
    const other = new PoolSimulation(1);
    const truth = other.signed.find.bind(other.signed);
    other.signed.find = (scope, stamp) => {
      const state = truth(scope, stamp);
      return state && { ...state, hashes: new Map([...state.hashes].slice(1)) };
    };
    assert.match((await other.run()).failures[0] ?? '', /which the cloud did not have|the cloud had/);
  });

  it('do not fail again where they once did', async function () {
    this.timeout(120_000);
    for (const seed of REGRESSIONS) await run(seed);
  });

  const simulations = scaled(20, 4_000);
  it(`find one leader, and go by what the cloud has signed, under ${simulations * POOL_SCHEDULES} random schedules`, async function () {
    this.timeout(scaled(5 * 60_000, 12 * 3_600_000));
    const report = await runSeeds(1, simulations, 'pools');
    const [first] = report.failed;
    const again = `HAWSER_SIM_SEED=${first?.seed} runs this one alone`;
    const seeds = report.failed.map(({ seed }) => seed).join(', ');
    assert.equal(first, undefined, `seeds ${seeds} fail: ${first?.why}\n${again}\n${first?.trace}`);
    assert.equal(report.simulations, simulations);
  });
});
