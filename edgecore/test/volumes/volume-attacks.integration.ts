import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { eventually, scaled } from '@hawser/seams/testing';
import { ContainerError } from '../../src/pods/container-error.ts';
import { PodError } from '../../src/pods/pod-error.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { applyFsGroup } from '../../src/volumes/fs-group.ts';
import { OpenFolder } from '../../src/volumes/open-folder.ts';
import { removeTree } from '../../src/volumes/remove-tree.ts';
import { openBelow } from '../../src/volumes/safe-path.ts';
import { podWith, textOf, VolumeSite } from './volume-site.ts';

const { signal } = new AbortController();

/** A container that swaps a folder or file with a link to somewhere else, again and again. */
class Swapper {
  readonly #worker: Worker;
  readonly #state = new Int32Array(new SharedArrayBuffer(8));

  /** @param trash folder where what was swapped goes */
  constructor(place: string, kind: 'folder' | 'file', target: string, trash: string) {
    mkdirSync(trash, { recursive: true });
    const code = `
      const { renameSync, symlinkSync, unlinkSync, mkdirSync, writeFileSync } = require('node:fs');
      const { place, kind, target, trash, state } = require('node:worker_threads').workerData;
      const quietly = (call) => { try { call(); } catch {} };
      const pause = () => { for (let wait = 0; wait < 500; wait += 1) Atomics.load(state, 0); };
      while (Atomics.load(state, 0) === 0) {
        const round = Atomics.add(state, 1, 1);
        quietly(() => renameSync(place, trash + '/' + round + '-' + Date.now()));
        quietly(() => symlinkSync(target, place));
        pause();
        quietly(() => unlinkSync(place));
        if (kind === 'file') quietly(() => writeFileSync(place, ''));
        else {
          quietly(() => mkdirSync(place));
          quietly(() => writeFileSync(place + '/precious', ''));
        }
        pause();
      }
    `;
    const workerData = { place, kind, target, trash, state: this.#state };
    this.#worker = new Worker(code, { eval: true, workerData });
  }

  get rounds(): number {
    return Atomics.load(this.#state, 1);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    Atomics.store(this.#state, 0, 1);
    await ended;
  }
}

describe('volumes under attack', function () {
  this.timeout(scaled(40_000, 300_000));
  let site: VolumeSite;
  let out: string;
  before(function () {
    if (process.getuid?.() !== 0) {
      console.log('      skipped: only root mounts');
      this.skip();
    }
  });
  beforeEach(async () => {
    site = new VolumeSite();
    // In memory attackers are fast: what is to be caught happens often.
    await site.mounter.tmpfs(site.dir, 256n * 2n ** 20n);
    site.mounter.calls.length = 0;
    await site.volumes.start();
    out = path.join(site.dir, 'out');
    mkdirSync(out, { mode: 0o700 });
    writeFileSync(path.join(out, 'precious'), 'p', { mode: 0o600 });
  });
  afterEach(async () => {
    assert.deepEqual(readdirSync(out), ['precious']);
    assert.equal(readFileSync(path.join(out, 'precious'), 'utf8'), 'p');
    const { mode, gid } = statSync(path.join(out, 'precious'));
    assert.deepEqual(
      [mode & 0o7777, gid, statSync(out).gid, statSync(out).mode & 0o7777],
      [0o600, 0, 0, 0o700],
    );
    await site.close();
    rmSync(site.dir, { recursive: true, force: true });
  });

  const trash = (): string => path.join(site.dir, 'trash');

  async function emptyDir(name = 'a', mount: object = {}): Promise<readonly [Pod, string]> {
    const pod = podWith(name, { emptyDir: {} }, { mount });
    await site.mount(pod);
    return [pod, path.join(site.folders.pod(pod.metadata.uid), 'volumes/kubernetes.io~empty-dir/v')];
  }

  describe('sub-paths', () => {
    it('show a folder, made if it is missing, and a file', async () => {
      const [pod, folder] = await emptyDir('a', { subPathExpr: 'logs/$(POD)' });
      const [mount] = await site.mounts(pod, { POD: 'web' });
      const target = path.join(site.folders.pod('uid-a'), 'volume-subpaths/v/main/0');
      assert.deepEqual(mount, { hostPath: target, containerPath: '/v', readOnly: false });
      writeFileSync(`${target}/f`, 'x');
      assert.equal(await textOf(`${folder}/logs/web/f`), 'x');
      assert.equal(statSync(target).mode & 0o7777, 0o777, 'that of the volume');

      site.objects.configMap('cfg', { key: '1' });
      const config = podWith('c', { configMap: { name: 'cfg' } }, { mount: { subPath: 'key' } });
      await site.mount(config);
      const file = await site.place(config);
      assert.equal(await textOf(file), '1');
      site.objects.configMap('cfg', { key: '2' });
      const shown = path.join(site.folders.pod('uid-c'), 'volumes/kubernetes.io~configmap/v/key');
      await eventually('the volume changes', async () => (await textOf(shown)) === '2');
      assert.equal(await textOf(file), '1', 'a sub-path stays as it was');
      assert.equal(await site.place(config), file);
      assert.equal(await textOf(file), '2', 'until the container is made anew');
    });

    it('cost no program where they are mounted, in the next life too', async () => {
      const [pod] = await emptyDir('a', { subPath: 'x' });
      const first = await site.place(pod);
      assert.deepEqual(site.mounter.calls, ['bind']);
      assert.equal(await site.place(pod), first);
      await site.restart();
      await site.mount(pod);
      assert.equal(await site.place(pod), first);
      assert.deepEqual(site.mounter.calls, ['bind']);
      await site.unmount(pod);
      assert.deepEqual([await site.mounted(pod), existsSync(site.folders.pod('uid-a'))], [[], false]);
    });

    it('are mounted anew where they lead elsewhere, or to another kind of file', async () => {
      const [pod, folder] = await emptyDir('a', { subPath: 'x' });
      const place = await site.place(pod);
      renameSync(`${folder}/x`, `${folder}/old`);
      writeFileSync(`${folder}/x`, 'file');
      assert.equal(await site.place(pod), place);
      assert.equal(await textOf(place), 'file');
      rmSync(`${folder}/x`);
      assert.equal(statSync(await site.place(pod)).isDirectory(), true);
      assert.equal((await site.mounted(pod)).length, 1);
    });

    const refusals: readonly (readonly [string, (folder: string) => void, string])[] = [
      ['a link out', (folder) => symlinkSync(out, `${folder}/x`), 'prepare subPath'],
      ['a way up', (folder) => symlinkSync('../../../../../out', `${folder}/x`), 'prepare subPath'],
      ['a loop', (folder) => symlinkSync('x', `${folder}/x`), 'prepare subPath'],
    ];
    for (const [what, prepare, step] of refusals) {
      it(`refuse ${what}, and tell the pod no details`, async () => {
        const [pod, folder] = await emptyDir('a', { subPath: 'x/y' });
        prepare(folder);
        await assert.rejects(site.mounts(pod), (error) => {
          assert.ok(error instanceof ContainerError);
          assert.equal(error.reason, 'CreateContainerConfigError');
          assert.equal(error.message, `failed to ${step} for volumeMount "v" of container "main"`);
          return true;
        });
        assert.deepEqual(site.mounter.calls, []);
      });
    }

    it('say that a folder cannot be made', async () => {
      const pod = podWith('a', { hostPath: { path: '/proc' } }, { mount: { subPath: 'none' } });
      await site.mount(pod);
      await assert.rejects(site.mounts(pod), {
        message: 'failed to create subPath directory for volumeMount "v" of container "main"',
      });
    });

    it('never lead out while a folder is swapped with a link', async () => {
      const [, folder] = await emptyDir();
      const swapper = new Swapper(`${folder}/x`, 'folder', out, trash());
      let inside = 0;
      let refused = 0;
      try {
        await eventually('it swaps', () => swapper.rounds > 10);
        const until = performance.now() + scaled(800, 30_000);
        while (performance.now() < until || inside < 20 || refused < 20) {
          const entry = await openBelow(folder, 'x/precious', 0o755).catch(() => undefined);
          if (entry === undefined) refused += 1;
          else {
            inside += 1;
            const where = readlinkSync(entry.path).replace(/ \(deleted\)$/, '');
            await entry.close();
            assert.ok(where.startsWith(`${folder}/`) || where.startsWith(`${trash()}/`), where);
          }
        }
      } finally {
        await swapper.stop();
      }
    });
  });

  it('hold on to the folder that was opened, whatever its name leads to by now', async () => {
    const folder = path.join(site.dir, 'x');
    mkdirSync(folder);
    writeFileSync(`${folder}/mine`, '');
    const held = await OpenFolder.open(folder);
    renameSync(folder, `${folder}.aside`);
    symlinkSync(out, folder);
    const names: string[] = [];
    await held.forEach((entry) => Promise.resolve(void names.push(String(entry.name))));
    assert.deepEqual(names, ['mine']);
    await assert.rejects(held.entry('precious'), { code: 'ENOENT' });
    await assert.rejects(OpenFolder.open(folder), { code: 'ENOTDIR' });
    await held.close();
  });

  describe('deleting', () => {
    it('never leads out while a folder is swapped with a link', async () => {
      const folder = path.join(site.dir, 'tree');
      let rounds = 0;
      let failures = 0;
      const until = performance.now() + scaled(800, 30_000);
      while (performance.now() < until) {
        for (let index = 0; index < 20; index += 1) mkdirSync(`${folder}/x/d${index}`, { recursive: true });
        const swapper = new Swapper(`${folder}/x`, 'folder', out, trash());
        try {
          await eventually('it swaps', () => swapper.rounds > 2, { intervalMs: 1 });
          const parent = await OpenFolder.open(site.dir);
          // The other one may keep filling it; what counts is what is outside.
          await removeTree(parent, 'tree', signal).catch(() => (failures += 1));
          await parent.close();
        } finally {
          await swapper.stop();
        }
        rounds += 1;
        assert.ok(existsSync(`${out}/precious`));
      }
      assert.ok(rounds > 1, `${rounds} rounds, ${failures} could not be ended`);
    });

    it('unmounts what is in a volume, and deletes nothing of it', async () => {
      const [pod, folder] = await emptyDir();
      mkdirSync(`${folder}/deep/in`, { recursive: true });
      mkdirSync(`${folder}/memory`);
      const held = await OpenFolder.open(out);
      await site.mounter.bind(held, `${folder}/deep/in`);
      await held.close();
      await site.mounter.tmpfs(`${folder}/memory`, 65_536n);
      mkdirSync(`${folder}/memory/on it`);
      await site.mounter.tmpfs(`${folder}/memory/on it`, 65_536n);
      await site.mounter.tmpfs(`${folder}/memory/on it`, 65_536n);
      assert.equal((await site.mounted(pod)).length, 4);
      await site.unmount(pod);
      assert.deepEqual([await site.mounted(pod), await site.volumes.uids()], [[], []]);
    });

    it('does not delete across a mount that cannot be unmounted', async () => {
      const [pod, folder] = await emptyDir();
      mkdirSync(`${folder}/in`);
      const held = await OpenFolder.open(out);
      await site.mounter.bind(held, `${folder}/in`);
      await held.close();
      const { mounter } = site;
      const unmount = mounter.unmount.bind(mounter);
      mounter.unmount = (): Promise<void> => Promise.reject(new Error('target is busy'));
      await assert.rejects(
        site.unmount(pod),
        (error) =>
          error instanceof PodError &&
          error.reason === 'FailedUnmount' &&
          error.message === 'UnmountVolume.TearDown failed for pod uid-a : target is busy',
      );
      assert.ok(existsSync(`${folder}/in/precious`));
      const parent = await OpenFolder.open(path.dirname(folder));
      await assert.rejects(removeTree(parent, 'v', signal), { message: 'something is mounted in it' });
      await parent.close();
      mounter.unmount = unmount;
      await site.unmount(pod);
    });

    it('unmounts lazily what stays busy, and says so', async () => {
      const pod = podWith('a', { emptyDir: { medium: 'Memory' } });
      await site.mount(pod);
      const busy = openSync(path.join(await site.place(pod), 'f'), 'w');
      try {
        await site.unmount(pod);
      } finally {
        closeSync(busy);
      }
      assert.deepEqual(site.mounter.calls, ['tmpfs', ...Array<string>(4).fill('unmount'), 'unmount lazily']);
      assert.deepEqual([await site.mounted(pod), await site.volumes.uids()], [[], []]);
      assert.equal(site.logged.length, 1);
    });

    it('removes what a life before has left', async () => {
      const pod = podWith('a', { emptyDir: { medium: 'Memory' } }, { mount: { subPath: 'x' } });
      await site.mount(pod);
      await site.place(pod);
      await site.restart();
      assert.deepEqual(await site.volumes.uids(), ['uid-a']);
      await site.unmount(pod);
      assert.deepEqual([await site.mounted(pod), await site.volumes.uids()], [[], []]);
    });
  });

  describe('giving to a group', () => {
    const group = { gid: 4000, readOnly: false };

    it('gives everything, and follows no link', async () => {
      const [, folder] = await emptyDir();
      mkdirSync(`${folder}/sub`, { mode: 0o700 });
      writeFileSync(`${folder}/sub/f`, '', { mode: 0o600 });
      writeFileSync(`${folder}/tool`, '', { mode: 0o755 });
      chmodSync(`${folder}/tool`, 0o4755);
      symlinkSync(out, `${folder}/link`);
      symlinkSync(`${out}/precious`, `${folder}/sub/link`);
      await applyFsGroup(folder, group, signal);
      const modes = ['', 'sub', 'sub/f', 'tool'].map((name) => {
        const { mode, gid } = statSync(path.join(folder, name));
        return [(mode & 0o7777).toString(8), gid];
      });
      assert.deepEqual(modes, [
        ['2777', 4000],
        ['2770', 4000],
        ['660', 4000],
        ['4775', 4000],
      ]);
      assert.equal(lstatSync(`${folder}/sub/link`).gid, 4000);
    });

    it('gives 10,000 files without holding up anybody else', async () => {
      const [, folder] = await emptyDir();
      for (let sub = 0; sub < 100; sub += 1) {
        mkdirSync(`${folder}/s${sub}`);
        for (let file = 0; file < 100; file += 1) writeFileSync(`${folder}/s${sub}/f${file}`, '');
      }
      let longest = 0;
      let last = performance.now();
      const beat = setInterval(() => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }, 5);
      const began = performance.now();
      await applyFsGroup(folder, group, signal);
      const tookMs = performance.now() - began;
      clearInterval(beat);
      assert.equal(statSync(`${folder}/s99/f99`).gid, 4000);
      assert.ok(longest < 250, `the loop stood still for ${longest} ms`);
      assert.ok(tookMs < 20_000, `${tookMs} ms`);
      const reason = new Error('enough');
      const ending = new AbortController();
      const again = applyFsGroup(folder, { ...group, gid: 4001 }, ending.signal);
      ending.abort(reason);
      await assert.rejects(again, reason);
      assert.equal(statSync(folder).gid, 4000, 'its own folder comes last');
    });

    it('looks only at the folder of the volume, where it may', async () => {
      const [, folder] = await emptyDir();
      writeFileSync(`${folder}/f`, '', { mode: 0o600 });
      chownSync(folder, 0, 4000);
      await applyFsGroup(folder, { ...group, onRootMismatch: true }, signal);
      assert.equal(statSync(`${folder}/f`).gid, 4000, 'the mode did not fit');
      chownSync(`${folder}/f`, 0, 0);
      await applyFsGroup(folder, { ...group, onRootMismatch: true }, signal);
      assert.equal(statSync(`${folder}/f`).gid, 0);
      await applyFsGroup(folder, group, signal);
      assert.equal(statSync(`${folder}/f`).gid, 4000);
    });

    it('does not cross a mount', async () => {
      const [, folder] = await emptyDir();
      mkdirSync(`${folder}/in`);
      const held = await OpenFolder.open(out);
      await site.mounter.bind(held, `${folder}/in`);
      await held.close();
      await applyFsGroup(folder, group, signal);
      assert.equal(statSync(folder).gid, 4000);
      await site.mounter.unmount([`${folder}/in`]);
    });

    it('never leads out while a folder is swapped with a link', async () => {
      const [, folder] = await emptyDir();
      const swapper = new Swapper(`${folder}/x`, 'folder', out, trash());
      try {
        await eventually('it swaps', () => swapper.rounds > 10);
        const until = performance.now() + scaled(800, 30_000);
        for (let gid = 5000; performance.now() < until; gid += 1) {
          await applyFsGroup(folder, { gid, readOnly: false }, signal);
        }
      } finally {
        await swapper.stop();
      }
    });

    it('never leads out while a file is swapped with a link', async () => {
      const [, folder] = await emptyDir();
      const swapper = new Swapper(`${folder}/x`, 'file', `${out}/precious`, trash());
      try {
        await eventually('it swaps', () => swapper.rounds > 10);
        const until = performance.now() + scaled(800, 30_000);
        for (let gid = 5000; performance.now() < until; gid += 1) {
          await applyFsGroup(folder, { gid, readOnly: false }, signal);
        }
      } finally {
        await swapper.stop();
      }
    });

    it('gives a file with two names once', async () => {
      const [, folder] = await emptyDir();
      writeFileSync(`${folder}/a`, '');
      linkSync(`${folder}/a`, `${folder}/b`);
      await applyFsGroup(folder, group, signal);
      assert.equal(statSync(`${folder}/b`).gid, 4000);
    });
  });
});
