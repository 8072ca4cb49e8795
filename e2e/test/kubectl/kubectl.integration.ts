import { KubectlSite } from './kubectl-site.ts';
import { describeAlone } from './alone.ts';
import { describeApiServer } from './api-server.ts';
import { describeLoad } from './load.ts';
import { describeLogs } from './logs.ts';
import { describeMoves } from './moves.ts';
import { describePorts } from './ports.ts';
import { describeStreams } from './streams.ts';

/** kubectl → control plane → hub → tunnel → edge core → containerd, each in a process of its own. */
describe('kubectl at the edge', () => {
  let site: KubectlSite | undefined;
  const opened = (): KubectlSite => {
    if (site === undefined) throw new TypeError('there is one, or the tests are skipped');
    return site;
  };

  before(async function () {
    site = await KubectlSite.open(this);
  });
  afterEach(() => site?.stopFollowing());
  after(async function () {
    this.timeout(30_000);
    await site?.close();
  });

  describe('logs', () => describeLogs(opened));
  describe('exec, attach and cp', () => describeStreams(opened));
  describe('port-forward', () => describePorts(opened));
  describe('load', () => describeLoad(opened));
  describe('moves', () => describeMoves(opened));
  describe('the API server', () => describeApiServer(opened));
  describe('without a cloud', () => describeAlone(opened));
});
