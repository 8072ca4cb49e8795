import assert from 'node:assert/strict';
import { cpuMillis, cpuQuota, cpuShares, cpuWeight, sharesOfWeight } from '../../src/cgroups/cpu-values.ts';

// Expected values: kubelet, cm/helpers_linux_test.go TestMilliCPUToQuota and TestMilliCPUToShares; KEP-2254.
describe('values of CPU', () => {
  const quantities: readonly (readonly [string | number | undefined, number])[] = [
    [undefined, 0],
    ['0', 0],
    ['1', 1000],
    [2, 2000],
    ['100m', 100],
    ['0.1', 100],
    ['0.29', 290],
    ['0.0001', 1],
    ['1.5', 1500],
    ['100u', 1],
    ['nonsense', 0],
  ];
  for (const [quantity, millis] of quantities) {
    it(`${quantity} is ${millis} thousandths of a core`, () => assert.equal(cpuMillis(quantity), millis));
  }

  const shares: readonly (readonly [number, number])[] = [
    [0, 2],
    [1, 2],
    [2, 2],
    [3, 3],
    [4, 4],
    [32, 32],
    [100, 102],
    [1000, 1024],
    [256_000, 262_144],
    [500_000, 262_144],
  ];
  for (const [millis, expected] of shares) {
    it(`${millis} m are ${expected} shares`, () => assert.equal(cpuShares(millis), expected));
  }

  const quotas: readonly (readonly [number, number | undefined])[] = [
    [0, undefined],
    [5, 1000],
    [9, 1000],
    [10, 1000],
    [20, 2000],
    [200, 20_000],
    [500, 50_000],
    [1000, 100_000],
    [1500, 150_000],
  ];
  for (const [millis, expected] of quotas) {
    it(`${millis} m are a quota of ${expected} µs`, () => assert.equal(cpuQuota(millis), expected));
  }

  const weights: readonly (readonly [number, number])[] = [
    [2, 1],
    [102, 4],
    [1024, 39],
    [262_144, 10_000],
  ];
  for (const [share, weight] of weights) {
    it(`${share} shares are weight ${weight}`, () => assert.equal(cpuWeight(share), weight));
  }

  it('finds the shares of a weight again, but for rounding', () => {
    for (let share = 2; share <= 262_144; share += 997) {
      const again = sharesOfWeight(cpuWeight(share));
      assert.ok(Math.abs(again - share) <= 27, `${share} became ${again}`);
    }
  });
});
