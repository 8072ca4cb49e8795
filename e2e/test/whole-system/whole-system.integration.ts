import { WholeSite } from '../../src/whole-site/whole-site.ts';
import { scaled } from '@hawser/seams/testing';
import { describeApart } from './apart.ts';
import { describeConnected } from './connected.ts';
import { Steps } from './steps.ts';
import { describeTogether } from './together.ts';

const ROUNDS = scaled(1, 3);

for (const transport of ['ws', 'quic'] as const)
  for (let round = 1; round <= ROUNDS; round++)
    describe(`the whole system over ${transport}${ROUNDS > 1 ? `, round ${round}` : ''}`, () => {
      let site: WholeSite | undefined;
      const steps = new Steps(() => {
        if (site === undefined) throw new TypeError('it is open, or the tests are skipped');
        return site;
      });

      before(async function () {
        this.timeout(120_000);
        const missing = await WholeSite.missing();
        if (missing !== undefined) {
          console.log(`    skipped: ${missing}`);
          this.skip();
        }
        site = await WholeSite.open({ transport });
      });
      after(async function () {
        this.timeout(60_000);
        process.stdout.write(steps.table());
        await site?.close();
      });

      describeConnected(steps, transport);
      describeApart(steps);
      describeTogether(steps);
    });
