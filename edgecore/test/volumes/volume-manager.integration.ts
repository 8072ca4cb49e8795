import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { FakeClock, eventually } from '@hawser/seams/testing';
import { PodError } from '../../src/pods/pod-error.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { podWith, textOf, VolumeSite } from './volume-site.ts';

const TMPFS = 0x01021994;

function failsWith(message: string, isFinal = false): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PodError, String(error));
    assert.deepEqual([error.reason, error.message, error.isFinal], ['FailedMount', message, isFinal]);
    return true;
  };
}

describe('the volumes of a node', function () {
  this.timeout(30_000);
  let site: VolumeSite;
  before(function () {
    if (process.getuid?.() !== 0) {
      console.log('      skipped: only root mounts');
      this.skip();
    }
  });
  beforeEach(async () => {
    site = new VolumeSite();
    await site.volumes.start();
  });
  afterEach(async () => {
    await site.close();
    rmSync(site.dir, { recursive: true, force: true });
  });

  const at = (pod: Pod, ...names: string[]): string =>
    path.join(site.folders.pod(pod.metadata.uid), 'volumes', ...names);

  describe('emptyDir', () => {
    it('is a folder for everybody, and stays as it is', async () => {
      const pod = podWith('a', { emptyDir: {} });
      await site.mount(pod);
      const folder = await site.place(pod);
      assert.equal(folder, at(pod, 'kubernetes.io~empty-dir/v'));
      assert.equal(statSync(folder).mode & 0o7777, 0o777);
      writeFileSync(path.join(folder, 'mine'), 'x');
      chmodSync(folder, 0o700);
      await site.restart();
      await site.mount(pod);
      assert.equal(statSync(folder).mode & 0o7777, 0o700, 'a container may change it');
      assert.equal(await textOf(path.join(folder, 'mine')), 'x');
      await site.unmount(pod);
      assert.deepEqual(await site.volumes.uids(), []);
      assert.deepEqual(site.mounter.calls, []);
    });

    it('has its group', async () => {
      const pod = podWith('a', { emptyDir: {} }, { securityContext: { fsGroup: 2000 } });
      await site.mount(pod);
      const { mode, gid } = statSync(await site.place(pod));
      assert.deepEqual([mode & 0o7777, gid], [0o2777, 2000]);
    });

    it('is in memory, as large as the least of node, pod and limit', async () => {
      const size = async (pod: Pod): Promise<number> => {
        await site.mount(pod);
        const folder = await site.place(pod);
        const { type, blocks, bsize } = statfsSync(folder);
        assert.equal(type, TMPFS);
        assert.equal(statSync(folder).mode & 0o1777, 0o1777);
        return blocks * bsize;
      };
      const limited = {
        name: 'main',
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
        resources: { limits: { memory: '16Mi' } },
      };
      assert.equal(await size(podWith('a', { emptyDir: { medium: 'Memory' } })), 64 * 2 ** 20);
      assert.equal(
        await size(podWith('b', { emptyDir: { medium: 'Memory' } }, { containers: [limited] })),
        16 * 2 ** 20,
      );
      assert.equal(
        await size(
          podWith('c', { emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }, { containers: [limited] }),
        ),
        2 ** 20,
      );
      assert.equal(
        await size(podWith('d', { emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } })),
        64 * 2 ** 20,
      );
    });

    it('is made again in memory after a power cut, and not after a restart', async () => {
      const pod = podWith('a', { emptyDir: { medium: 'Memory' } });
      await site.mount(pod);
      const file = path.join(await site.place(pod), 'x');
      writeFileSync(file, 'x');
      await site.restart();
      await site.mount(pod);
      assert.equal(await textOf(file), 'x');
      await site.mounter.unmount([path.dirname(file)]);
      await site.restart();
      await site.mount(pod);
      assert.equal(statfsSync(path.dirname(file)).type, TMPFS);
      assert.equal(existsSync(file), false);
    });

    it('is not had in other places', () =>
      assert.rejects(
        site.mount(podWith('a', { emptyDir: { medium: 'HugePages' } })),
        failsWith('MountVolume.SetUp failed for volume "v" : unknown storage medium "HugePages"', true),
      ));

    it('is measured where it has a limit', async () => {
      await site.close();
      const clock = new FakeClock();
      site = new VolumeSite({ clock });
      await site.volumes.start();
      const large = podWith('large', { emptyDir: { sizeLimit: '64Ki' } });
      const small = podWith('small', { emptyDir: { sizeLimit: '1Mi' } });
      const free = podWith('free', { emptyDir: {} });
      for (const pod of [large, small, free]) {
        await site.mount(pod);
        writeFileSync(path.join(await site.place(pod), 'f'), Buffer.alloc(100_000, 1));
      }
      const said = 'uid-large: Usage of EmptyDir volume "v" exceeds the limit "64Ki". ';
      await clock.advance(59_999);
      assert.deepEqual(site.over, []);
      await clock.advance(1);
      await eventually('it is measured', () => site.over.length > 0);
      assert.deepEqual(site.over, [said]);
      await eventually('it is measured again', async () => {
        await clock.advance(60_000);
        return site.over.length > 1;
      });
      assert.deepEqual([...new Set(site.over)], [said]);
    });
  });

  describe('contents', () => {
    it('are shown, and follow their source', async () => {
      site.objects.configMap('cfg', { a: '1', b: '1' });
      const pod = podWith('a', { configMap: { name: 'cfg' } });
      await site.mount(pod);
      const [mount] = await site.mounts(pod);
      const folder = at(pod, 'kubernetes.io~configmap/v');
      assert.deepEqual(mount, { hostPath: folder, containerPath: '/v', readOnly: true });
      assert.equal(await textOf(`${folder}/a`), '1');
      site.objects.configMap('cfg', { a: '2', c: '2' });
      await eventually('it changes', async () => (await textOf(`${folder}/a`)) === '2', { intervalMs: 1 });
      assert.equal(await textOf(`${folder}/c`), '2');
      await eventually('what is gone is gone', () => !readdirSync(folder).includes('b'));
      assert.deepEqual(site.mounter.calls, [], 'it is on the disk');
    });

    it('stay where their source is taken away, cannot be read, or lacks a key', async () => {
      site.objects.configMap('cfg', { a: '1' });
      const pod = podWith('a', { configMap: { name: 'cfg', items: [{ key: 'a', path: 'p/q' }] } });
      await site.mount(pod);
      const file = path.join(await site.place(pod), 'p/q');
      site.objects.configMap('cfg', undefined);
      await eventually('it is looked at', () => site.logged.length === 1);
      site.objects.configMap('cfg', { b: '1' });
      await eventually('it is looked at', () => site.logged.length === 2);
      site.objects.broken.add('configmaps/default/cfg');
      site.objects.configMap('cfg', { a: '2' });
      await eventually('it is looked at', () => site.logged.length === 3);
      assert.deepEqual(site.logged, [
        'a volume keeps its contents: configmap "cfg" not found',
        'a volume keeps its contents: configmap references non-existent config key: a',
        'a volume keeps its contents: configmaps/default/cfg cannot be read',
      ]);
      assert.equal(await textOf(file), '1');
      site.objects.broken.clear();
      site.objects.configMap('cfg', { a: '3' });
      await eventually('it follows again', async () => (await textOf(file)) === '3');
    });

    it('are tried again where they could not be written', async () => {
      await site.close();
      const clock = new FakeClock();
      site = new VolumeSite({ clock });
      await site.volumes.start();
      site.objects.configMap('cfg', { a: '1' });
      const pod = podWith('a', { configMap: { name: 'cfg' } });
      await site.mount(pod);
      const file = path.join(await site.place(pod), 'a');
      site.objects.broken.add('configmaps/default/cfg');
      site.objects.configMap('cfg', { a: '2' });
      await eventually('it failed', () => site.logged.length === 1);
      site.objects.broken.clear();
      await clock.advance(9_999);
      assert.equal(await textOf(file), '1');
      await clock.advance(1);
      await eventually('it is tried again', async () => (await textOf(file)) === '2');
    });

    it('may come later where they are optional', async () => {
      const pod = podWith('a', { configMap: { name: 'cfg', optional: true } });
      await site.mount(pod);
      const folder = await site.place(pod);
      assert.deepEqual(
        readdirSync(folder).filter((name) => !name.startsWith('..')),
        [],
      );
      site.objects.configMap('cfg', { a: '1' });
      await eventually('it came', async () => (await textOf(`${folder}/a`)) === '1');
      site.objects.configMap('cfg', undefined);
      await eventually('it went', () => !existsSync(`${folder}/a`));
    });

    it('must be there otherwise, and who waits is told when they are', async () => {
      const pod = podWith('a', { configMap: { name: 'cfg' } });
      const message = 'MountVolume.SetUp failed for volume "v" : configmap "cfg" not found';
      await assert.rejects(site.mount(pod), failsWith(message));
      assert.equal(existsSync(at(pod)), false, 'nothing was made');
      site.objects.configMap('other', {});
      assert.deepEqual(site.sources, []);
      site.objects.configMap('cfg', { a: '1' });
      assert.deepEqual(site.sources, ['uid-a']);
      await site.mount(pod);
      site.objects.configMap('cfg', { a: '2' });
      assert.deepEqual(site.sources, ['uid-a'], 'nobody waits any more');
    });

    it('follow what changes while they are first written', async () => {
      site.objects.configMap('cfg', { a: '1' });
      let go = (): void => {};
      site.objects.holds.set('configmaps/default/cfg', new Promise((resolve) => (go = resolve)));
      const pod = podWith('a', { configMap: { name: 'cfg' } });
      const mounting = site.mount(pod);
      await eventually('it is read', () => site.objects.reads > 0);
      site.objects.configMap('cfg', { a: '2' });
      go();
      await mounting;
      const file = path.join(await site.place(pod), 'a');
      await eventually('the newer one is shown', async () => (await textOf(file)) === '2');
    });

    it('are in memory only where they are secret', async () => {
      site.objects.secret('key', { pass: 'word' });
      site.tokens.set('', 'token-1');
      const secret = podWith('a', { secret: { secretName: 'key', defaultMode: 0o400 } });
      const token = podWith('b', { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } });
      const fields = podWith('c', {
        downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] },
      });
      for (const [pod, type] of [
        [secret, TMPFS],
        [token, TMPFS],
        [fields, statfsSync(site.dir).type],
      ] as const) {
        await site.mount(pod);
        assert.equal(statfsSync(await site.place(pod)).type, type, pod.metadata.name);
      }
      const file = path.join(await site.place(secret), 'pass');
      assert.equal(await textOf(file), 'word');
      assert.equal(statSync(file).mode & 0o7777, 0o400);
      assert.deepEqual(site.mounter.calls, ['tmpfs', 'tmpfs']);
    });

    it('follow labels and tokens', async () => {
      site.tokens.set('', 'token-1');
      const volume = {
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token' } },
            { downwardAPI: { items: [{ path: 'app', fieldRef: { fieldPath: "metadata.labels['app']" } }] } },
          ],
        },
      };
      const pod = podWith('a', volume, {
        labels: { app: 'one' },
        securityContext: { fsGroup: 3000, runAsUser: 1000 },
      });
      await site.mount(pod);
      const folder = await site.place(pod);
      const { mode, uid, gid } = statSync(`${folder}/token`);
      assert.deepEqual([mode & 0o7777, uid, gid], [0o640, 1000, 3000]);
      assert.equal(await textOf(`${folder}/app`), 'one');
      const root = statSync(folder);
      assert.deepEqual([root.mode & 0o7777, root.gid], [0o3777, 3000]);
      site.volumes.update(
        podWith('a', volume, { labels: { app: 'two' }, securityContext: { fsGroup: 3000 } }),
      );
      await eventually('the label changes', async () => (await textOf(`${folder}/app`)) === 'two');
      site.tokens.set('', 'token-2');
      site.volumes.tokenChanged('uid-a');
      await eventually('the token changes', async () => (await textOf(`${folder}/token`)) === 'token-2');
    });

    it('wait for a token', async () => {
      const pod = podWith('a', { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } });
      const why = 'failed to fetch token: there is none yet of serviceaccount "default"';
      await assert.rejects(site.mount(pod), failsWith(`MountVolume.SetUp failed for volume "v" : ${why}`));
      site.tokens.set('', 'token-1');
      site.volumes.tokenChanged('uid-a');
      assert.deepEqual(site.sources, ['uid-a']);
      await site.mount(pod);
      assert.equal(await textOf(path.join(await site.place(pod), 'token')), 'token-1');
    });

    it('are taken over after a restart, and made again after a power cut', async () => {
      site.objects.secret('key', { pass: 'word' });
      site.objects.configMap('cfg', { a: '1' });
      const pod = podWith(
        'a',
        { secret: { secretName: 'key' } },
        {
          volumes: [
            { name: 'v', secret: { secretName: 'key' } },
            { name: 'c', configMap: { name: 'cfg' } },
          ],
          containers: [
            {
              name: 'main',
              volumeMounts: [
                { name: 'v', mountPath: '/v' },
                { name: 'c', mountPath: '/c' },
              ],
            },
          ],
        },
      );
      await site.mount(pod);
      const [secret, config] = (await site.mounts(pod)).map(({ hostPath }) => hostPath);
      assert.ok(secret !== undefined && config !== undefined);
      const links = (): string[] => [readlinkSync(`${secret}/..data`), readlinkSync(`${config}/..data`)];
      const before = links();
      await site.restart();
      site.volumes.update(pod); // nobody mounts it: it runs
      await eventually('it is taken over', async () => (await site.mounts(pod).catch(() => [])).length === 2);
      assert.deepEqual(links(), before, 'nothing was written');
      site.objects.secret('key', { pass: 'changed' });
      await eventually('it follows', async () => (await textOf(`${secret}/pass`)) === 'changed');
      await site.mounter.unmount([secret]);
      await site.restart();
      assert.deepEqual(readdirSync(secret), []);
      await site.mount(pod);
      assert.equal(await textOf(`${secret}/pass`), 'changed');
      assert.equal(statfsSync(secret).type, TMPFS);
    });

    it('of volumes that no container mounts are not asked for', async () => {
      const pod = podWith(
        'a',
        { emptyDir: {} },
        {
          volumes: [
            { name: 'v', emptyDir: {} },
            { name: 'unused', secret: { secretName: 'none' } },
          ],
        },
      );
      await site.mount(pod);
      assert.equal(readdirSync(at(pod)).length, 1);
    });

    it('hundred at once follow one source within a second', async () => {
      site.objects.configMap('cfg', { a: '0' });
      const pods = Array.from({ length: 100 }, (_, index) =>
        podWith(`p${index}`, { configMap: { name: 'cfg' } }),
      );
      await Promise.all(pods.map((pod) => site.mount(pod)));
      const files = await Promise.all(pods.map(async (pod) => path.join(await site.place(pod), 'a')));
      const began = performance.now();
      site.objects.configMap('cfg', { a: '1' });
      await eventually('all follow', async () =>
        (await Promise.all(files.map(textOf))).every((text) => text === '1'),
      );
      assert.ok(performance.now() - began < 1000, `${performance.now() - began} ms`);
    });
  });

  describe('several volumes', () => {
    it('are all told of at once, and what works is not made again', async () => {
      const volumes = [
        { name: 'e', emptyDir: { medium: 'Memory' } },
        { name: 'c', configMap: { name: 'cfg' } },
        { name: 's', secret: { secretName: 'key' } },
      ];
      const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
      const pod = podWith('a', {}, { volumes, containers: [{ name: 'main', volumeMounts }] });
      const message =
        'MountVolume.SetUp failed for volume "c" : configmap "cfg" not found; ' +
        'MountVolume.SetUp failed for volume "s" : secret "key" not found';
      await assert.rejects(site.mount(pod), failsWith(message));
      await assert.rejects(site.mount(pod), failsWith(message));
      site.objects.configMap('cfg', {});
      site.objects.secret('key', {});
      await site.mount(pod);
      await site.mount(pod);
      assert.deepEqual(site.mounter.calls, ['tmpfs', 'tmpfs']);
      await site.unmount(pod);
      assert.deepEqual(await site.mounted(pod), []);
      assert.deepEqual(site.mounter.calls.slice(2), ['unmount'], 'one program for all');
    });

    it('of kinds that there are not are refused for good', () =>
      assert.rejects(
        site.mount(podWith('a', { nfs: { server: 's' } } as object)),
        failsWith('MountVolume.SetUp failed for volume "v" : this node has no volumes of kind nfs', true),
      ));

    it('cannot lead out of the folder of the pod', async () => {
      const pod = podWith(
        'a',
        {},
        {
          volumes: [{ name: '../../../x', emptyDir: {} }],
          containers: [{ name: 'main', volumeMounts: [{ name: '../../../x', mountPath: '/x' }] }],
        },
      );
      await assert.rejects(site.mount(pod), PodError);
      const { metadata } = podWith('b', { emptyDir: {} });
      await assert.rejects(
        site.mount({ ...podWith('b', { emptyDir: {} }), metadata: { ...metadata, uid: '../b' } }),
        PodError,
      );
      assert.deepEqual(readdirSync(site.dir), ['pods']);
    });

    it('give up what is under way when the edge stops, and listen no more', async () => {
      site.objects.configMap('cfg', { a: '1' });
      site.objects.holds.set('configmaps/default/cfg', new Promise(() => {}));
      const reason = new Error('enough');
      await assert.rejects(
        site.volumes.mount(podWith('a', { configMap: { name: 'cfg' } }), AbortSignal.abort(reason)),
        reason,
      );
      await site.volumes.stop();
      await site.volumes.stop();
      assert.equal(site.objects.listeners, 0);
    });
  });

  describe('hostPath', () => {
    it('is the path itself', async () => {
      const folder = path.join(site.dir, 'mine');
      const pod = podWith(
        'a',
        { hostPath: { path: folder, type: 'DirectoryOrCreate' } },
        { mount: { readOnly: true } },
      );
      await site.mount(pod);
      assert.deepEqual(await site.mounts(pod), [{ hostPath: folder, containerPath: '/v', readOnly: true }]);
      writeFileSync(`${folder}/f`, 'x');
      await site.unmount(pod);
      assert.equal(await textOf(`${folder}/f`), 'x');
    });

    it('must be what it is said to be', () =>
      assert.rejects(
        site.mount(podWith('a', { hostPath: { path: '/nothing', type: 'Socket' } })),
        failsWith(
          'MountVolume.SetUp failed for volume "v" : hostPath type check failed: /nothing is not a socket file',
        ),
      ));
  });

  it('takes the folder of a file system for no pod of its own', async () => {
    mkdirSync(path.join(site.dir, 'pods/lost+found'));
    mkdirSync(path.join(site.dir, 'pods/uid-left'));
    assert.deepEqual(await site.volumes.uids(), ['uid-left']);
  });

  it('leaves nothing open', () => {
    symlinkSync('nowhere', path.join(site.dir, 'link'));
    mkdirSync(path.join(site.dir, 'pods/uid-none'));
    return site.volumes.unmount('uid-none', AbortSignal.timeout(5000)).then(async () => {
      assert.deepEqual(await site.volumes.uids(), []);
    });
  });
});
