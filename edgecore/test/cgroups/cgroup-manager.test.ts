import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger, type Clock, type Logger } from '@hawser/seams';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { CgroupManager, type CgroupManagerOptions } from '../../src/cgroups/cgroup-manager.ts';
import { kernelCgroupFiles } from '../../src/cgroups/cgroup-files.ts';
import { PodError } from '../../src/pods/pod-error.ts';
import type { Quantities } from '../../src/pods/pod.ts';
import { makePod } from '../../testing/pod-maker.ts';
import { ModelCgroup2 } from './model-cgroup2.ts';

function pod(name: string, requests: Quantities, limits: Quantities = {}): ReturnType<typeof makePod> {
  return makePod(name, { spec: { containers: [{ name: 'main', resources: { requests, limits } }] } });
}

function recorder(): { readonly log: Logger; readonly warnings: string[] } {
  const warnings: string[] = [];
  const log: Logger = { ...silentLogger, warn: (_fields, message) => warnings.push(message) };
  return { log, warnings };
}

describe('CgroupManager, version 2', () => {
  let dir: TempDir;
  let marks: TempDir;
  let model: ModelCgroup2;

  beforeEach(async () => {
    dir = await makeTempDir();
    marks = await makeTempDir();
    model = new ModelCgroup2(dir.path);
    await model.mountRoot('cpuset cpu io memory pids');
  });
  afterEach(() => Promise.all([dir.remove(), marks.remove()]));

  function manager(options: Partial<CgroupManagerOptions> = {}): CgroupManager {
    return new CgroupManager({
      driver: 'cgroupfs',
      root: '',
      marksDir: marks.path,
      log: silentLogger,
      mounts: () => ({ version: 2, folder: dir.path, controllers: new Set() }),
      files: model,
      ...options,
    });
  }

  async function valueOf(cgroup: string, file: string): Promise<string> {
    return (await readFile(path.join(dir.path, cgroup, file), 'utf8')).trim();
  }

  it('makes a cgroup once for all who want it at a time, and removes it after that', async () => {
    let made = 0;
    class Counting extends ModelCgroup2 {
      override async mkdir(folder: string): Promise<void> {
        if (folder.endsWith('poduid-a')) made += 1;
        await super.mkdir(folder);
      }
    }
    const cgroups = manager({ files: new Counting(dir.path) });
    await cgroups.start();
    const wanted = pod('a', {});
    const both = Promise.all([cgroups.ensure(wanted), cgroups.ensure(wanted)]);
    const removed = cgroups.remove('uid-a'); // it was deleted before it began
    assert.deepEqual(await both, Array(2).fill('/kubepods/besteffort/poduid-a'));
    await removed;
    assert.equal(made, 1);
    assert.deepEqual(await model.folders(path.join(dir.path, 'kubepods/besteffort')), []);
    assert.deepEqual(await cgroups.uids(), []);
  });

  it('passes every controller on, down to the pod', async () => {
    const cgroups = manager();
    await cgroups.start();
    const cgroup = await cgroups.ensure(pod('a', { cpu: '250m' }));
    assert.equal(cgroup, '/kubepods/burstable/poduid-a');
    for (const each of ['', '/kubepods', '/kubepods/burstable', cgroup]) {
      assert.equal(await valueOf(each, 'cgroup.subtree_control'), 'cpu cpuset memory io pids', each);
    }
    assert.equal(await valueOf(cgroup, 'cgroup.controllers'), 'cpu cpuset memory io pids');
  });

  it('sets weight, quota and memory, or none', async () => {
    const cgroups = manager({ allocatable: () => ({ cpuMillis: 2000, memoryBytes: 2 ** 30 }) });
    await cgroups.start();
    const limits = { cpu: '500m', memory: '64Mi' };
    const held = await cgroups.ensure(pod('a', limits, limits));
    const free = await cgroups.ensure(pod('b', { memory: '16Mi' }));
    assert.equal(held, '/kubepods/poduid-a');
    assert.deepEqual(
      await Promise.all(['cpu.weight', 'cpu.max', 'memory.max'].map((file) => valueOf(held, file))),
      ['20', '50000 100000', String(64 * 2 ** 20)],
    );
    assert.deepEqual(
      await Promise.all(['cpu.weight', 'cpu.max', 'memory.max'].map((file) => valueOf(free, file))),
      ['1', 'max 100000', 'max'],
    );
    assert.equal(await valueOf('/kubepods', 'memory.max'), String(2 ** 30));
    assert.equal(await valueOf('/kubepods', 'cpu.weight'), '79');
  });

  it('weighs the class burstable by its pods', async () => {
    const cgroups = manager();
    await cgroups.start();
    await cgroups.ensure(pod('a', { cpu: '1' }));
    await cgroups.ensure(pod('b', { cpu: '1' }));
    // Each pod is 1024 shares, weight 39; both 2048 shares, weight 79, of which rounding may lose one.
    const weight = Number(await valueOf('/kubepods/burstable', 'cpu.weight'));
    assert.ok(weight >= 77 && weight <= 79, String(weight));
    await cgroups.remove('uid-a');
    await cgroups.remove('uid-b');
    assert.equal(await valueOf('/kubepods/burstable', 'cpu.weight'), '1');
  });

  it('kills what is left with one write, and removes from below', async () => {
    const cgroups = manager();
    await cgroups.start();
    const cgroup = await cgroups.ensure(pod('a', {}));
    const inner = path.join(dir.path, cgroup, 'container');
    await model.mkdir(inner);
    await writeFile(path.join(inner, 'cgroup.procs'), '4194304\n');
    await cgroups.remove('uid-a');
    assert.ok(model.writes.some(([file, text]) => file.endsWith('poduid-a/cgroup.kill') && text === '1'));
    assert.deepEqual(await cgroups.uids(), []);
  });

  it('kills one by one on kernels without cgroup.kill, and never what it must not', async () => {
    model = new ModelCgroup2(dir.path, { hasKill: false });
    const cgroups = manager();
    await cgroups.start();
    const cgroup = await cgroups.ensure(pod('a', {}));
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    const procs = path.join(dir.path, cgroup, 'cgroup.procs');
    // 0 is a process of another PID namespace: a kill of 0 would be one of this process and its group.
    await writeFile(procs, `0\n1\n${process.pid}\n${child.pid}\n`);
    const removed = cgroups.remove('uid-a');
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    await writeFile(procs, '');
    await removed;
    assert.deepEqual(await cgroups.uids(), []);
  });

  it('gives up on what does not end, says so, and is ready to try again', async () => {
    model = new ModelCgroup2(dir.path, { hasKill: false });
    const cgroups = manager({ clock: immediately });
    await cgroups.start();
    const cgroup = await cgroups.ensure(pod('a', {}));
    const procs = path.join(dir.path, cgroup, 'cgroup.procs');
    await writeFile(procs, '0\n');
    await assert.rejects(cgroups.remove('uid-a'), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ERR_EDGECORE_CGROUP');
      assert.match(error.message, /EBUSY/);
      return true;
    });
    assert.deepEqual(await cgroups.uids(), ['uid-a']);
    await writeFile(procs, '');
    await cgroups.remove('uid-a');
    assert.deepEqual(await cgroups.uids(), []);
  });

  it('says why a pod gets none, as a kubelet does', async () => {
    const cgroups = manager();
    await cgroups.start();
    await writeFile(path.join(dir.path, 'kubepods/besteffort/poduid-a'), 'in the way');
    await assert.rejects(cgroups.ensure(pod('a', {})), (error) => {
      assert.ok(error instanceof PodError);
      assert.equal(error.reason, 'FailedCreatePodContainer');
      assert.match(error.message, /^unable to ensure pod container exists: /);
      return true;
    });
  });

  it('never ends what another kubelet has there, and takes away what is empty', async () => {
    const { log, warnings } = recorder();
    const cgroups = manager({ log });
    await cgroups.start();
    await cgroups.ensure(pod('a', {}));
    const busy = path.join(dir.path, 'kubepods/besteffort/podforeign');
    await model.mkdir(busy);
    await writeFile(path.join(busy, 'cgroup.procs'), '4194304\n');
    await model.mkdir(path.join(dir.path, 'kubepods/besteffort/podempty'));
    assert.deepEqual(await cgroups.uids(), ['uid-a']);
    await cgroups.remove('foreign');
    await cgroups.remove('empty');
    assert.deepEqual((await model.folders(path.join(dir.path, 'kubepods/besteffort'))).toSorted(), [
      'podforeign',
      'poduid-a',
    ]);
    assert.ok(!model.writes.some(([file]) => file.endsWith('cgroup.kill')));
    assert.equal(await readFile(path.join(busy, 'cgroup.procs'), 'utf8'), '4194304\n');
    assert.equal(warnings.length, 1);
  });

  it('knows its own again after a restart, and forgets those that a boot has taken', async () => {
    const before = manager();
    await before.start();
    await before.ensure(pod('a', {}));
    await before.ensure(pod('b', {}));
    const after = manager();
    await after.start();
    assert.deepEqual([...(await after.uids())].toSorted(), ['uid-a', 'uid-b']);
    await model.rmdir(path.join(dir.path, 'kubepods/besteffort/poduid-a'));
    await after.remove('uid-a');
    assert.deepEqual(await after.uids(), ['uid-b']);
  });

  it('says once that cgroups cannot be written, and goes on without', async () => {
    const { log, warnings } = recorder();
    const cgroups = manager({
      log,
      files: {
        ...kernelCgroupFiles,
        mkdir: () => Promise.reject(Object.assign(new Error('EROFS: read-only'), { code: 'EROFS' })),
      },
    });
    await cgroups.start();
    assert.equal(await cgroups.ensure(pod('a', {})), '');
    await cgroups.remove('uid-a');
    assert.deepEqual(await cgroups.uids(), []);
    await cgroups.start();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /cannot be written/);
  });

  it('makes none where the runtime is to do it, and none where there are none', async () => {
    const { log, warnings } = recorder();
    const left = manager({ driver: 'none', log });
    await left.start();
    assert.equal(await left.ensure(pod('a', {})), '');
    assert.deepEqual(warnings, []);
    const bare = manager({ mounts: () => undefined, log });
    await bare.start();
    assert.equal(await bare.ensure(pod('a', {})), '');
    assert.equal(warnings.length, 1);
  });
});

describe('CgroupManager, version 1 with hierarchies that cannot be written', () => {
  it('leaves them out, but not those that limits need', async () => {
    const dir = await makeTempDir();
    const marks = await makeTempDir();
    try {
      for (const [readOnly, usable] of [
        ['pids', true],
        ['memory', false],
      ] as const) {
        const { log, warnings } = recorder();
        const cgroups = new CgroupManager({
          driver: 'cgroupfs',
          root: '',
          marksDir: marks.path,
          log,
          mounts: () => ({
            version: 1,
            hierarchies: ['cpu', 'memory', 'pids'].map((name) => ({
              names: [name],
              folder: name === readOnly ? '/proc/self' : dir.path,
            })),
            controllers: new Set(),
          }),
        });
        await cgroups.start();
        assert.equal(await cgroups.ensure(pod('a', {})), usable ? '/kubepods/besteffort/poduid-a' : '');
        assert.equal(warnings.length, 1);
      }
    } finally {
      await Promise.all([dir.remove(), marks.remove()]);
    }
  });
});

/** Time that passes as soon as it is asked for. */
const immediately: Clock = {
  monotonicMs: () => 0,
  wallMs: () => 0,
  setTimer: (_delayMs, callback) => {
    setImmediate(callback);
    return { cancel: () => {} };
  },
};
