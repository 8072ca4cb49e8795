import { TestAuthority } from '../test-pki.ts';
import type { TransportUnderTest } from './harness.ts';
import { identityContract } from './identity.ts';
import { lifecycleContract } from './lifecycle.ts';
import { streamContract } from './streams.ts';

/** Declares the contract that every transport keeps, as mocha suites. */
export function describeTransportContract(underTest: TransportUnderTest): void {
  describe(`transport ${underTest.name}`, function () {
    this.timeout(30_000);
    let authority: TestAuthority;

    before(async () => {
      authority = await TestAuthority.create();
    });

    describe('streams', () => streamContract(underTest, () => authority));
    describe('identity', () => identityContract(underTest, () => authority));
    describe('lifecycle', () => lifecycleContract(underTest, () => authority));
  });
}
