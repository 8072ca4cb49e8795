import assert from 'node:assert/strict';
import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { contentOf, type Content } from '@hawser/sync';
import { ReplicaObjects } from '../../src/objects/replica-objects.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { EdgeStore } from '../../src/store/edge-store.ts';
import { podWith, textOf, VolumeSite } from './volume-site.ts';

describe('volumes of claims, and of a real store', function () {
  this.timeout(30_000);
  let site: VolumeSite;
  let disk: string;
  before(function () {
    if (process.getuid?.() !== 0) {
      console.log('      skipped: only root gives files to groups');
      this.skip();
    }
  });
  beforeEach(async () => {
    site = new VolumeSite();
    await site.volumes.start();
    disk = path.join(site.dir, 'disk');
    mkdirSync(path.join(disk, 'sub'), { recursive: true });
    writeFileSync(path.join(disk, 'sub/f'), '', { mode: 0o600 });
    symlinkSync('disk', path.join(site.dir, 'link'));
    volume({ local: { path: path.join(site.dir, 'link') } });
    site.objects.set('persistentvolumeclaims/default/claim', {
      metadata: { uid: 'c-1' },
      spec: { volumeName: 'pv' },
      status: { phase: 'Bound' },
    });
  });
  afterEach(async () => {
    await site.close();
    rmSync(site.dir, { recursive: true, force: true });
  });

  function volume(source: object, annotations: object = {}): void {
    site.objects.set('persistentvolumes//pv', {
      metadata: { annotations },
      spec: { claimRef: { uid: 'c-1' }, ...source },
    });
  }

  function claiming(name: string, securityContext: NonNullable<Pod['spec']['securityContext']> = {}): Pod {
    return podWith(name, { persistentVolumeClaim: { claimName: 'claim' } }, { securityContext });
  }

  const file = (): readonly [number, number] => {
    const { mode, gid } = statSync(path.join(disk, 'sub/f'));
    return [mode & 0o7777, gid];
  };

  it('are given to the group of the pod, once', async () => {
    const pod = claiming('a', { fsGroup: 2000 });
    await site.mount(pod);
    assert.equal(await site.place(pod), path.join(site.dir, 'link'));
    assert.deepEqual(file(), [0o660, 2000]);
    writeFileSync(path.join(disk, 'new'), '', { mode: 0o600 });
    await site.restart();
    await site.mount(pod);
    assert.equal(statSync(path.join(disk, 'new')).mode & 0o7777, 0o600, 'not again in the next life');
    await site.unmount(pod);
    assert.deepEqual(file(), [0o660, 2000], 'what is in it stays');
    await site.mount(claiming('b', { fsGroup: 3000 }));
    assert.deepEqual(file(), [0o660, 3000]);
  });

  it('are not taken from a pod that uses them', async () => {
    await site.mount(claiming('a', { fsGroup: 2000 }));
    await site.mount(claiming('b', { fsGroup: 3000 }));
    assert.deepEqual(file(), [0o660, 2000]);
    assert.deepEqual(site.logged, [
      'The requested fsGroup is 3000, but the volume pv has GID 2000. The volume may not be shareable.',
    ]);
  });

  it('are left as they are where they are right, read-only, or paths of the host', async () => {
    await site.mount(claiming('a', { fsGroup: 2000, fsGroupChangePolicy: 'OnRootMismatch' }));
    await site.unmount(claiming('a'));
    writeFileSync(path.join(disk, 'new'), '', { mode: 0o600 });
    await site.mount(claiming('b', { fsGroup: 2000, fsGroupChangePolicy: 'OnRootMismatch' }));
    assert.equal(statSync(path.join(disk, 'new')).mode & 0o7777, 0o600);
    const readOnly = { persistentVolumeClaim: { claimName: 'claim', readOnly: true } };
    const reader = podWith('c', readOnly, { securityContext: { fsGroup: 4000 } });
    await site.unmount(claiming('b'));
    await site.mount(reader);
    assert.equal((await site.mounts(reader))[0]?.readOnly, true);
    volume({ hostPath: { path: disk } }, { 'pv.beta.kubernetes.io/gid': '777' });
    const host = claiming('d', { fsGroup: 5000 });
    await site.mount(host);
    assert.deepEqual(site.volumes.supplementalGroups(host), [777]);
    assert.deepEqual(file(), [0o660, 2000]);
  });

  it('may come later, and who waits is told', async () => {
    site.objects.set('persistentvolumes//pv', undefined);
    const pod = claiming('a');
    await assert.rejects(site.mount(pod), /persistentvolumes "pv" not found/);
    volume({ hostPath: { path: disk } });
    assert.deepEqual(site.sources, ['uid-a']);
    await site.mount(pod);
  });

  it('show a change of the store at once', async () => {
    const store = await EdgeStore.open({ dir: path.join(site.dir, 'store'), log: silentLogger });
    const scope = 'node/edge-1';
    const put = (text: string): Promise<void> => {
      const object = {
        metadata: { namespace: 'default', name: 'cfg', resourceVersion: text },
        data: { a: text },
      };
      const content: Content = contentOf('configmaps', object);
      return store.replica.apply(scope, [{ put: content }]);
    };
    const objects = new ReplicaObjects({ replica: store.replica, scope, isLost: () => false });
    await site.close();
    site = new VolumeSite({ objects });
    try {
      await site.volumes.start();
      await put('0');
      const pod = podWith('a', { configMap: { name: 'cfg' } });
      await site.mount(pod);
      const shown = path.join(await site.place(pod), 'a');
      const waits: number[] = [];
      for (let round = 1; round <= 10; round += 1) {
        await put(String(round));
        const began = performance.now();
        await eventually('it is shown', async () => (await textOf(shown)) === String(round), {
          intervalMs: 1,
        });
        waits.push(performance.now() - began);
      }
      const median = waits.toSorted((a, b) => a - b)[5] ?? Infinity;
      assert.ok(median < 250, `${median} ms`);
    } finally {
      await site.volumes.stop();
      await store.close();
    }
  });
});
