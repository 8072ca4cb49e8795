import { FeatureSite } from './feature-site.ts';
import { describeStarting } from './starting.ts';
import { scaled } from '@hawser/seams/testing';

// One control plane, hub, edge and containerd for all of them: opening these takes longer than most tests.
describe('features of pods, seen from inside of their containers', function () {
  this.timeout(scaled(60_000, 120_000));
  let site: FeatureSite | undefined;
  const open = (): FeatureSite => {
    if (site === undefined) throw new TypeError('the site is not open');
    return site;
  };

  before(async function () {
    site = await FeatureSite.open(this);
  });
  after(() => site?.close());

  describeStarting(open);
});
