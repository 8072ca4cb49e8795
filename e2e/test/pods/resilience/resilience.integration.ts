import { seededRandom } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import { describeCalm } from './calm.ts';
import { describeCycles } from './cycles.ts';
import { describeFullDisk } from './full-disk.ts';
import { describeLeaks } from './leaks.ts';
import { describeLosses } from './losses.ts';
import { ResilienceSite } from './resilience-site.ts';
import { describeRestarts } from './restarts.ts';

// One control plane, hub, edge and containerd for all of them: opening these takes longer than most tests.
describe('pods that outlive what runs them', function () {
  this.timeout(scaled(120_000, 3_600_000));
  const seed = Number(process.env['HAWSER_SEED'] ?? Date.now() % 1e6);
  const random = seededRandom(seed);
  let site: ResilienceSite | undefined;
  const open = (): ResilienceSite => {
    if (site === undefined) throw new TypeError('the site is not open');
    return site;
  };

  before(async function () {
    console.log(`    seed ${seed}`);
    site = await ResilienceSite.open(this);
  });
  // Of a test that failed: the next one begins with nothing.
  afterEach(async function () {
    if (this.currentTest?.isFailed() === true) await site?.clear(/./).catch(() => {});
  });
  after(() => site?.close());

  describeCalm(open);
  describeRestarts(open, random);
  describeLosses(open, random);
  describeCycles(open, random);
  describeLeaks(open);
  describeFullDisk(open);
});
