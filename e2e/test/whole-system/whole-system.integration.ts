import { scaled } from '@hawser/seams/testing';
import { describeApart } from './apart.ts';
import { describeConnected } from './connected.ts';
import { givenWhole } from './given-whole.ts';
import { describeTogether } from './together.ts';

const ROUNDS = scaled(1, 3);

for (const transport of ['ws', 'quic'] as const)
  for (let round = 1; round <= ROUNDS; round++)
    describe(`the whole system over ${transport}${ROUNDS > 1 ? `, round ${round}` : ''}`, () => {
      const steps = givenWhole(transport);
      describeConnected(steps, transport);
      describeApart(steps);
      describeTogether(steps);
    });
