import { scaled } from '@hawser/seams/testing';
import { ResilienceSite } from './resilience-site.ts';
import { describeRestarts } from './restarts.ts';

// One control plane, hub, edge and containerd for all of them: opening these takes longer than most tests.
describe('pods that outlive what runs them', function () {
  this.timeout(scaled(120_000, 3_600_000));
  let site: ResilienceSite | undefined;
  const open = (): ResilienceSite => {
    if (site === undefined) throw new TypeError('the site is not open');
    return site;
  };

  before(async function () {
    site = await ResilienceSite.open(this);
  });
  after(() => site?.close());

  describeRestarts(open);
});
