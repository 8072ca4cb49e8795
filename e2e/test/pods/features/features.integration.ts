import { describeEnding } from './ending.ts';
import { describeEnvironment } from './environment.ts';
import { CLUSTER_DNS, describeNetwork } from './network.ts';
import { describeImages } from './images.ts';
import { describeRefused } from './refused.ts';
import { beginSlow, describeSlow } from './slow.ts';
import { describeResources } from './resources.ts';
import { describeVolumes } from './volumes.ts';
import { describeSecurity } from './security.ts';
import { describeProbes } from './probes.ts';
import { FeatureSite } from './feature-site.ts';
import { describeStarting } from './starting.ts';
import { makeTempDir, scaled, type TempDir } from '@hawser/seams/testing';

// One control plane, hub, edge and containerd for all of them: opening these takes longer than most tests.
describe('features of pods, seen from inside of their containers', function () {
  this.timeout(scaled(60_000, 120_000));
  let site: FeatureSite | undefined;
  let seccomp: TempDir;
  const open = (): FeatureSite => {
    if (site === undefined) throw new TypeError('the site is not open');
    return site;
  };

  before(async function () {
    seccomp = await makeTempDir();
    site = await FeatureSite.open(this, {
      edge: { pods: { clusterDns: CLUSTER_DNS, seccompRoot: seccomp.path } },
    });
    await beginSlow(site);
  });
  after(async () => {
    await site?.close();
    await seccomp.remove();
  });

  describeStarting(open);
  describeProbes(open);
  describeEnding(open);
  describeEnvironment(open);
  describeNetwork(open);
  describeSecurity(open, () => seccomp.path);
  describeResources(open);
  describeVolumes(open);
  describeImages(open);
  describeRefused(open);
  describeSlow(open);
});
