import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { CgroupManager } from '../../src/cgroups/cgroup-manager.ts';
import { findCgroups } from '../../src/cgroups/cgroup-mounts.ts';
import type { Quantities } from '../../src/pods/pod.ts';
import { makePod } from '../../testing/pod-maker.ts';

const ROOT = `/hawser-test-${process.pid}`;
let marks: TempDir;
const mounts = findCgroups(readFileSync('/proc/self/mountinfo', 'utf8'), () => '');
const folders = mounts?.version === 1 ? mounts.hierarchies.map(({ folder }) => folder) : [];

function folderOf(controller: string): string {
  const found = mounts?.version === 1 && mounts.hierarchies.find(({ names }) => names.includes(controller));
  assert.ok(found, `no hierarchy of ${controller}`);
  return found.folder;
}

function valueOf(controller: string, cgroup: string, file: string): string {
  return readFileSync(path.join(folderOf(controller), cgroup, file), 'utf8').trim();
}

function pod(name: string, requests: Quantities, limits: Quantities = {}): ReturnType<typeof makePod> {
  return makePod(name, { spec: { containers: [{ name: 'main', resources: { requests, limits } }] } });
}

function manager(): CgroupManager {
  return new CgroupManager({
    driver: 'cgroupfs',
    root: ROOT,
    marksDir: marks.path,
    allocatable: () => ({ cpuMillis: 1500, memoryBytes: 512 * 2 ** 20 }),
    log: silentLogger,
  });
}

async function removeTree(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(path.join(folder, entry.name));
  }
  await rmdir(folder);
}

describe('cgroups of this machine, version 1', () => {
  const started: ChildProcess[] = [];

  beforeEach(async () => {
    marks = await makeTempDir();
  });
  afterEach(() => marks.remove());

  before(function () {
    if (process.getuid?.() !== 0) this.skip(); // only root makes cgroups
    if (folders.length === 0) this.skip(); // cgroup v2, or none
    try {
      mkdirSync(path.join(folderOf('cpu'), ROOT));
    } catch {
      this.skip(); // mounted read-only: a container without rights
    }
  });

  afterEach(async () => {
    const ended = started
      .splice(0)
      .filter((child) => child.exitCode === null && child.signalCode === null)
      .map((child) => {
        child.kill('SIGKILL');
        return once(child, 'exit');
      });
    await Promise.all(ended);
    for (const folder of folders) await removeTree(path.join(folder, ROOT));
  });

  it('makes them in every hierarchy, with the limits of the pod', async () => {
    const cgroups = manager();
    await cgroups.start();
    const limits = { cpu: '500m', memory: '64Mi' };
    const guaranteed = await cgroups.ensure(pod('a', limits, limits));
    assert.equal(guaranteed, `${ROOT}/kubepods/poduid-a`);
    for (const folder of folders) assert.ok(existsSync(path.join(folder, guaranteed)), folder);
    assert.equal(valueOf('cpu', guaranteed, 'cpu.shares'), '512');
    assert.equal(valueOf('cpu', guaranteed, 'cpu.cfs_quota_us'), '50000');
    assert.equal(valueOf('cpu', guaranteed, 'cpu.cfs_period_us'), '100000');
    assert.equal(valueOf('memory', guaranteed, 'memory.limit_in_bytes'), String(64 * 2 ** 20));
    assert.equal(valueOf('cpu', `${ROOT}/kubepods`, 'cpu.shares'), '1536');
    assert.equal(valueOf('memory', `${ROOT}/kubepods`, 'memory.limit_in_bytes'), String(512 * 2 ** 20));
    assert.notEqual(valueOf('cpuset', guaranteed, 'cpuset.cpus'), '', 'no process could be put into it');
  });

  it('weighs the class burstable by its pods, as they come and go, and after a restart', async () => {
    const first = manager();
    await first.start();
    const burstable = `${ROOT}/kubepods/burstable`;
    assert.equal(valueOf('cpu', burstable, 'cpu.shares'), '2');
    assert.equal(valueOf('cpu', `${ROOT}/kubepods/besteffort`, 'cpu.shares'), '2');
    await Promise.all([
      first.ensure(pod('b', { cpu: '250m' })),
      first.ensure(pod('c', { cpu: '1' })),
      first.ensure(pod('d', {})),
    ]);
    assert.equal(valueOf('cpu', burstable, 'cpu.shares'), '1280');
    const second = manager();
    await second.start();
    assert.deepEqual([...(await second.uids())].toSorted(), ['uid-b', 'uid-c', 'uid-d']);
    await second.remove('uid-c');
    assert.equal(valueOf('cpu', burstable, 'cpu.shares'), '256');
    await second.remove('uid-b');
    await second.remove('uid-b');
    assert.equal(valueOf('cpu', burstable, 'cpu.shares'), '2');
    assert.deepEqual(await second.uids(), ['uid-d']);
  });

  it('is idempotent, and takes over other limits', async () => {
    const cgroups = manager();
    await cgroups.start();
    await cgroups.start();
    const small = await cgroups.ensure(pod('e', { cpu: '100m' }, { memory: '32Mi' }));
    assert.equal(await cgroups.ensure(pod('e', { cpu: '200m' }, { memory: '48Mi' })), small);
    assert.equal(valueOf('cpu', small, 'cpu.shares'), '204');
    assert.equal(valueOf('cpu', small, 'cpu.cfs_quota_us'), '-1');
    assert.equal(valueOf('memory', small, 'memory.limit_in_bytes'), String(48 * 2 ** 20));
  });

  it('kills what is left in a pod, a frozen process too, and removes everything', async () => {
    const cgroups = manager();
    await cgroups.start();
    const cgroup = await cgroups.ensure(pod('f', {}));
    const children = ['one', 'two'].map((name) => {
      const child = spawn('sleep', ['600'], { stdio: 'ignore' });
      started.push(child);
      assert.ok(child.pid !== undefined);
      for (const folder of folders) {
        const inner = path.join(folder, cgroup, name);
        mkdirSync(inner);
        for (const file of ['cpuset.cpus', 'cpuset.mems']) {
          if (!existsSync(path.join(inner, file))) continue;
          writeFileSync(path.join(inner, file), readFileSync(path.join(folder, cgroup, file)));
        }
        writeFileSync(path.join(inner, 'cgroup.procs'), String(child.pid));
      }
      return child;
    });
    writeFileSync(path.join(folderOf('freezer'), cgroup, 'two', 'freezer.state'), 'FROZEN');
    const ends = children.map((child) => once(child, 'exit'));
    await cgroups.remove('uid-f');
    for (const end of ends) assert.deepEqual(await end, [null, 'SIGKILL']);
    for (const folder of folders) assert.ok(!existsSync(path.join(folder, cgroup)), folder);
    assert.deepEqual(await cgroups.uids(), []);
  });

  it('refuses a UID that would lead elsewhere', async () => {
    const cgroups = manager();
    await cgroups.start();
    const wrong = makePod('g', { uid: '../../x' });
    await assert.rejects(cgroups.ensure(wrong), { code: 'ERR_EDGECORE_CGROUP' });
    await assert.rejects(cgroups.remove('x/../../besteffort'), { code: 'ERR_EDGECORE_CGROUP' });
  });
});

/** Where the kernel has version 2 beside version 1: without CPU and memory, but with its rules. */
const second = findCgroups(
  readFileSync('/proc/self/mountinfo', 'utf8').replaceAll(/^.* - cgroup .*$/gm, ''),
  () => '',
);
const unified = second?.version === 2 ? second.folder : undefined;

describe('cgroups of this machine, version 2', () => {
  const folder = unified ?? '';
  const control = path.join(folder, 'cgroup.subtree_control');
  let controllers: readonly string[] = [];

  beforeEach(async () => {
    marks = await makeTempDir();
  });
  afterEach(() => marks.remove());

  before(function () {
    if (process.getuid?.() !== 0 || unified === undefined) this.skip(); // not root, or no cgroup v2 at all
    try {
      mkdirSync(path.join(folder, ROOT));
    } catch {
      this.skip(); // mounted read-only
    }
    controllers = readFileSync(control, 'utf8').trim().split(' ');
  });

  after(async () => {
    if (unified === undefined || process.getuid?.() !== 0) return;
    await removeTree(path.join(folder, ROOT));
    for (const controller of readFileSync(control, 'utf8').trim().split(' ').filter(Boolean)) {
      if (!controllers.includes(controller)) writeFileSync(control, `-${controller}`);
    }
  });

  it('makes them, kills what is left in them, and removes them', async () => {
    const cgroups = new CgroupManager({
      driver: 'cgroupfs',
      root: ROOT,
      marksDir: marks.path,
      log: silentLogger,
      mounts: () => ({ version: 2, folder, controllers: new Set() }),
    });
    await cgroups.start();
    const cgroup = await cgroups.ensure(pod('a', { cpu: '1' }));
    assert.equal(cgroup, `${ROOT}/kubepods/burstable/poduid-a`);
    const given = (at: string, file: string): string =>
      readFileSync(path.join(folder, at, file), 'utf8').trim();
    assert.equal(given(cgroup, 'cgroup.subtree_control'), given(cgroup, 'cgroup.controllers'));
    assert.equal(given(cgroup, 'cgroup.controllers'), given('', 'cgroup.controllers'));
    const inner = path.join(folder, cgroup, 'container');
    mkdirSync(inner);
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    writeFileSync(path.join(inner, 'cgroup.procs'), String(child.pid));
    writeFileSync(path.join(inner, 'cgroup.freeze'), '1');
    await cgroups.remove('uid-a');
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    assert.ok(!existsSync(path.join(folder, cgroup)));
    assert.deepEqual(await cgroups.uids(), []);
  });
});
