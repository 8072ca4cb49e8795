import assert from 'node:assert/strict';
import { open, rm, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import { joinCluster } from '@hawser/edgecore';
import { RESOURCES } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { boundPod, configMap } from '../../src/cluster-site/site-objects.ts';
import { runCommand } from '../../src/index.ts';
import { allRunning, isRunning } from './pod-phases.ts';
import { sameView } from './same-view.ts';

const NODE = 'edge-1';
const NAMES = ['cm-1', 'cm-2', 'cm-3', 'cm-4'];
const LARGE = 100_000;

// A disk that is really full: a file system of its own for the folder of the edge.
describe('an edge whose disk is full', function () {
  this.timeout(90_000);
  let site: ClusterSite;
  let edge: SiteEdge | undefined;
  let mounted: string | undefined;

  before(async function () {
    site = await ClusterSite.open({ hub: { logLevel: 'error' } });
    const made = await site.unjoined(NODE);
    try {
      await runCommand('mount', ['-t', 'tmpfs', '-o', 'size=6m,mode=0700', 'tmpfs', made.dataDir]);
      mounted = made.dataDir;
    } catch (error) {
      console.log(`      skipped: a file system cannot be mounted here: ${String(error)}`);
      this.skip();
    }
    const token = await site.token({ node: NODE });
    const folder = path.join(made.dataDir, 'pki');
    await joinCluster({ hub: site.directAddress(), token, node: NODE, folder });
    edge = made;
    await edge.start();
    await edge.untilInSync();
    await site.objects.createAll(NAMES.map((name) => configMap(name, 'small')));
    await site.objects.createAll(NAMES.map((name) => boundPod(`pod-of-${name}`, NODE, [name])));
    await allRunning(
      site,
      NAMES.map((name) => `pod-of-${name}`),
    );
    await edge.until(({ outbox }) => outbox.waiting === 0);
    await sameView(site, edge);
  });

  after(async () => {
    await edge?.stop();
    if (mounted !== undefined) await runCommand('umount', [mounted]);
    await site.close();
  });

  it('keeps its session and what it has, and takes the rest when there is room', async () => {
    assert.ok(edge !== undefined);
    const filler = path.join(edge.dataDir, 'filler');
    const had = await edge.objects();
    const { epoch } = (await edge.admin.status()).session;
    await fill(filler);
    const texts = NAMES.map((_, index) => String(index).repeat(LARGE));
    for (const [index, name] of NAMES.entries()) await site.objects.setText([name], texts[index] ?? '');
    const full = await edge.until(({ scopes }) => (scopes[0]?.counters['failedWrites'] ?? 0) > 1);
    assert.equal(full.store.healthy, false);
    assert.equal(full.scopes[0]?.synced, false);
    const said = full.problems.map(({ code }) => code);
    assert.deepEqual(said, ['ERR_EDGE_STORE_FULL'], 'it says so');
    assert.deepEqual(await edge.objects(), had, 'nothing that was there is lost');
    assert.equal(full.node.pods['sync'], NAMES.length);
    // Heartbeats are every 2 s, and three that are missed end a session.
    const untilMs = performance.now() + 7000;
    await eventually('7 s have passed', () => performance.now() > untilMs, { deadlineMs: 20_000 });
    const { session } = await edge.admin.status();
    assert.deepEqual([session.state, session.epoch], ['up', epoch]);

    await rm(filler);
    await edge.untilInSync(60_000);
    await sameView(site, edge);
    const healed = await edge.admin.status();
    assert.equal(healed.session.epoch, epoch, 'it was one session all the time');
    await untilHealthy(edge);
    const pods = await site.objects.list(RESOURCES.pods);
    assert.ok(pods.length === NAMES.length && pods.every(isRunning));
  });

  it('starts on a full disk with all that it had', async () => {
    assert.ok(edge !== undefined);
    const filler = path.join(edge.dataDir, 'filler');
    const had = await edge.objects();
    await fill(filler);
    await edge.kill();
    await edge.start();
    await edge.until(({ node }) => node.pods['sync'] === NAMES.length);
    assert.deepEqual(await edge.objects(), had);
    await rm(filler);
    await site.objects.setText(NAMES, 'after');
    await edge.untilInSync(60_000);
    await sameView(site, edge);
    await untilHealthy(edge);
  });

  it('says that a power cut has torn its last write, until it has all again', async () => {
    assert.ok(edge !== undefined);
    await site.objects.setText(NAMES, 'torn');
    await edge.untilInSync();
    await sameView(site, edge);
    await site.link.cut();
    await edge.kill();
    const log = path.join(edge.dataDir, 'edge.db-wal');
    await truncate(log, (await stat(log)).size - 1);
    await edge.start();
    const { store, problems } = await edge.admin.status();
    assert.match(store.messages.join(), /incomplete and was dropped/);
    assert.ok(problems.some(({ code }) => code === 'ERR_EDGE_STORE_DAMAGED'));
    await site.link.heal();
    await edge.untilInSync(60_000);
    await sameView(site, edge);
    await untilHealthy(edge);
  });
});

/** Waits until nothing is said of a disk that was full. */
async function untilHealthy(edge: SiteEdge): Promise<void> {
  const { problems } = await edge.until(({ store }) => store.healthy);
  assert.deepEqual(problems, []);
}

/** Writes a file until nothing more goes. */
async function fill(file: string): Promise<void> {
  const handle = await open(file, 'w');
  try {
    for (let size = 65_536; size >= 512;) {
      const written = await handle.write(Buffer.alloc(size, 1)).then(
        ({ bytesWritten }) => bytesWritten,
        () => 0, // no room for that much
      );
      if (written < size) size /= 2;
    }
  } finally {
    await handle.close();
  }
}
