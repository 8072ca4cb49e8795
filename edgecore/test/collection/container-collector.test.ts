import assert from 'node:assert/strict';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { ContainerCollector } from '../../src/collection/container-collector.ts';
import type { RuntimeContainer, RuntimePod } from '../../src/runtime/container-runtime.ts';

describe('ContainerCollector', () => {
  let temp: TempDir;
  let clock: FakeClock;
  let collector: ContainerCollector;
  let containers: RuntimeContainer[];
  let failures: Map<string, Error>;
  const removed: string[] = [];

  beforeEach(async () => {
    temp = await makeTempDir();
    clock = new FakeClock();
    failures = new Map();
    removed.splice(0);
    await mkdir(path.join(temp.path, 'pod', 'main'), { recursive: true });
    containers = [];
    for (const attempt of [3, 2, 1, 0]) {
      const logPath = path.join(temp.path, 'pod', 'main', `${attempt}.log`);
      const terminationMessageFile = path.join(temp.path, `message-${attempt}`);
      for (const file of [logPath, `${logPath}.20260101-000000.gz`, terminationMessageFile])
        await writeFile(file, 'x');
      const state = attempt === 3 ? 'running' : 'exited';
      const container = {
        id: `c${attempt}`,
        name: 'main',
        attempt,
        state,
        createdAtMs: attempt,
        logPath,
        notes: { terminationMessageFile },
      };
      containers.push(container as unknown as RuntimeContainer);
    }
    const remove = (id: string): Promise<void> => {
      const failure = failures.get(id);
      if (failure !== undefined) return Promise.reject(failure);
      removed.push(id);
      containers = containers.filter((container) => container.id !== id);
      return Promise.resolve();
    };
    collector = new ContainerCollector({
      runtime: {
        list: () => {
          const failure = failures.get('list');
          if (failure !== undefined) return Promise.reject(failure);
          const sandboxes = [
            { id: 's1', ready: true },
            { id: 's0', ready: false },
          ];
          return Promise.resolve([{ uid: 'uid', sandboxes, containers } as unknown as RuntimePod]);
        },
        removeContainer: remove,
        removeSandbox: remove,
      },
      periodMs: 60_000,
      clock,
      log: silentLogger,
    });
  });
  afterEach(async () => {
    await collector.stop();
    assert.equal(clock.pendingTimers, 0);
    await temp.remove();
  });

  const files = async (): Promise<string[]> => (await readdir(temp.path, { recursive: true })).sort();

  it('removes dead containers with their files, and dead sandboxes', async () => {
    await collector.collect();
    assert.deepEqual(removed, ['c1', 'c0', 's0']);
    assert.deepEqual(await files(), [
      'message-2',
      'message-3',
      'pod',
      'pod/main',
      'pod/main/2.log',
      'pod/main/2.log.20260101-000000.gz',
      'pod/main/3.log',
      'pod/main/3.log.20260101-000000.gz',
    ]);
    assert.equal(collector.removed, 2);
  });

  it('removes a container whose files are gone, a crash came in between', async () => {
    await temp.remove();
    await collector.collect();
    assert.deepEqual(removed, ['c1', 'c0', 's0']);
  });

  it('is kept from one by another as little as from a round by the one before', async () => {
    failures.set('c1', new Error('busy'));
    await collector.collect();
    assert.deepEqual(removed, ['c0', 's0']);
    failures.set('list', new Error('away'));
    await collector.collect();
    failures.clear();
    await collector.collect();
    assert.deepEqual(removed, ['c0', 's0', 'c1', 's0']);
  });

  it('follows no link to the logs of others', async () => {
    const [, , dead] = containers;
    const other = path.join(temp.path, 'pod', 'other');
    await mkdir(other);
    await writeFile(path.join(other, '1.log'), 'not yours');
    await symlink(other, path.join(temp.path, 'pod', 'link'));
    containers = containers.filter((container) => container !== dead);
    containers.push({ ...dead, logPath: path.join(temp.path, 'pod', 'link', '1.log') } as RuntimeContainer);
    await collector.collect();
    assert.deepEqual(removed, ['c0', 's0']);
    assert.ok((await files()).includes('pod/other/1.log'));
  });

  it('goes round once a period', async () => {
    collector.start();
    collector.start();
    await clock.advance(59_999);
    assert.deepEqual(removed, []);
    await clock.advance(1);
    await eventually('it has gone round', () => removed.length === 3);
    await collector.stop();
    await collector.stop();
  });
});
