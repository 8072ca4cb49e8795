import assert from 'node:assert/strict';
import { open as openFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { ContainerdSite } from '@hawser/edgecore/testing';
import { eventually } from '@hawser/seams/testing';
import { configMap } from '../../../src/cluster-site/site-objects.ts';
import type { SiteEdge } from '../../../src/cluster-site/site-edge.ts';
import { runCommand } from '../../../src/index.ts';
import { edgeConfigFor, shellPod } from '../../../src/pods-site/pods-site.ts';
import { STAYS } from './kinds.ts';
import { SOON_MS, statusIn, type ResilienceSite } from './resilience-site.ts';

const NODE = 'edge-full';

/** The disk of the edge's folder fills up while pods are to be started. */
export function describeFullDisk(open: () => ResilienceSite): void {
  describe('when the disk of the edge is full', () => {
    let containerd: ContainerdSite | undefined;
    let edge: SiteEdge | undefined;

    before(async () => {
      const { cluster } = open().pods;
      containerd = await ContainerdSite.open();
      edge = await cluster.unjoined(NODE, { config: edgeConfigFor(containerd) });
      await runCommand('mount', ['-t', 'tmpfs', '-o', 'size=12m,mode=0700', 'tmpfs', edge.dataDir]);
      await cluster.join(edge, await cluster.token({ node: NODE }));
      await edge.start();
      await edge.untilInSync();
    });
    after(async () => {
      await edge?.stop();
      await containerd?.close();
    });

    it('goes on with what runs, and starts the others when there is room again', async () => {
      const site = open();
      assert.ok(edge !== undefined && containerd !== undefined);
      const { node, runtime } = { node: edge, runtime: containerd };
      const podOf = (name: string) =>
        shellPod(name, STAYS, {
          spec: { nodeName: NODE, volumes: [{ name: 'config', configMap: { name: 'full' } }] },
          container: { volumeMounts: [{ name: 'config', mountPath: '/config' }] },
        });
      await site.create(configMap('full', 'x'.repeat(20_000)), podOf('full-runs'));
      const before = await site.untilReady(['full-runs']);

      // They are in the store, and wait for the runtime.
      await runtime.kill();
      const names = ['full-1', 'full-2', 'full-3'];
      await site.create(...names.map(podOf));
      await eventually(
        'the edge has them',
        async () => [...(await node.objects()).keys()].filter((key) => key.includes('full-')).length >= 4,
        { deadlineMs: SOON_MS },
      );
      const filler = path.join(node.dataDir, 'filler');
      await fill(filler);
      await runtime.start();
      await node.process.output(/"pod":"default\/full-\d"[^\n]*disk is full/, SOON_MS);
      assert.equal((await node.admin.status()).session.state, 'up');
      await rm(filler);
      const after = await site.untilReady([...names, 'full-runs']);
      for (const name of names) assert.equal(statusIn(after.get(name)).restartCount, 0);
      assert.equal(
        statusIn(after.get('full-runs')).containerID,
        statusIn(before.get('full-runs')).containerID,
        'what ran was rebuilt',
      );
      await node.untilInSync(SOON_MS);
      await site.remove([...names, 'full-runs']);
      await eventually('nothing is left', async () => (await runtime.remains()).length === 0, {
        deadlineMs: SOON_MS,
        intervalMs: 100,
      });
    });
  });
}

/** Writes until there is no room. */
async function fill(file: string): Promise<void> {
  const handle = await openFile(file, 'w');
  try {
    for (let size = 1024 * 1024; size >= 512;) {
      try {
        await handle.write(Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size /= 2;
      }
    }
  } finally {
    await handle.close();
  }
}
