import assert from 'node:assert/strict';
import { makeTempDir, scaled, type TempDir } from '@hawser/seams/testing';
import {
  createNetnsPair,
  netnsAvailable,
  SiteIdentities,
  type HubReady,
  type HubSettings,
  type NetnsPair,
} from '../../src/index.ts';
import type { LossReport } from './edge.ts';

const hubScript = new URL('../../src/tunnel-site/hub-process.js', import.meta.url);
const edgeScript = new URL('edge.js', import.meta.url);

describe('tunnel over a line that loses packets', function () {
  this.timeout(60_000);
  let pair: NetnsPair;
  let dir: TempDir;

  before(async function () {
    const available = await netnsAvailable();
    if (available.ok) return;
    console.log(`    skipped: ${available.reason}`);
    this.skip();
  });

  beforeEach(async () => {
    dir = await makeTempDir();
    await (await SiteIdentities.create(dir.path)).writeEdge('edge-1');
    pair = await createNetnsPair({ congestionControl: 'cubic' });
  });

  afterEach(async () => {
    await pair.close();
    await dir.remove();
  });

  for (const transport of ['ws', 'quic'] as const) {
    it(`keeps its session over ${transport} and delivers every byte`, async () => {
      await pair.edge.setLoss(0.03);
      await pair.cloud.setLoss(0.03);
      const settings: HubSettings = {
        identities: dir.path,
        host: pair.cloud.address,
        transports: [transport],
      };
      const hub = await pair.cloud.startNode({ script: hubScript, args: [JSON.stringify(settings)] });
      const port = (hub.ready as HubReady).ports[transport] ?? 0;
      const bytes = scaled(2_000_000, 200_000_000);
      const edge = await pair.edge.startNode({
        script: edgeScript,
        args: [dir.path, transport, pair.cloud.address, String(port), String(bytes)],
      });
      const report = (await edge.message(() => true, 50_000)) as LossReport;
      assert.equal(report.received, report.sent);
      assert.equal(report.sessions, 1);
      assert.ok(report.roundTrips > 0);
      assert.ok((await pair.edge.lostPackets()) + (await pair.cloud.lostPackets()) > 0, 'packets were lost');
    });
  }
});
