import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { silentLogger } from '@hawser/seams';
import { eventually, FakeClock, within } from '@hawser/seams/testing';
import { LogRotator } from '../../src/container-logs/log-rotator.ts';
import type { RuntimeContainer, RuntimePod } from '../../src/runtime/container-runtime.ts';
import { Follower, LogSite } from './log-site.ts';

/** As a runtime: has one container, and begins its log anew when it is told. */
class WritingRuntime {
  readonly site: LogSite;
  state: RuntimeContainer['state'] = 'running';
  lists = 0;
  reopened = 0;
  /** What happens instead of the next reopening. */
  onReopen: (() => Promise<void>) | undefined;
  /** Name of the file that it writes to. */
  file = '0.log';
  #changed: ((uid: string | undefined) => void) | undefined;

  constructor(site: LogSite) {
    this.site = site;
  }

  list(): Promise<readonly RuntimePod[]> {
    this.lists += 1;
    const container = { id: 'c1', name: 'main', state: this.state, logPath: this.site.path };
    return Promise.resolve([{ uid: 'uid', containers: [container] } as unknown as RuntimePod]);
  }

  listen(listener: (uid: string | undefined) => void): () => void {
    this.#changed = listener;
    return () => {
      this.#changed = undefined;
    };
  }

  change(): void {
    this.#changed?.('uid');
  }

  async reopenLog(id: string): Promise<void> {
    assert.equal(id, 'c1');
    this.reopened += 1;
    const instead = this.onReopen;
    this.onReopen = undefined;
    if (instead !== undefined) await instead();
    else await this.site.write('');
  }
}

describe('LogRotator', () => {
  const MAX_BYTES = 20_000;
  let site: LogSite;
  let runtime: WritingRuntime;
  let clock: FakeClock;
  let rotator: LogRotator;

  beforeEach(async () => {
    site = await LogSite.open();
    runtime = new WritingRuntime(site);
    clock = new FakeClock();
    rotator = makeRotator();
  });
  afterEach(async () => {
    await rotator.stop();
    await site.close();
  });

  const makeRotator = (maxFiles = 4): LogRotator =>
    new LogRotator({ runtime, maxBytes: MAX_BYTES, maxFiles, clock, log: silentLogger });
  const files = async (): Promise<string[]> => (await readdir(site.dir)).sort();
  /** Fills the log, so that the next look rotates it. */
  const fill = (): Promise<void> => site.append(site.lines(500));
  const all = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, index) => `line ${from + index}\n`).join('');

  it('leaves a log alone that is small enough', async () => {
    await site.write(site.lines(10));
    await rotator.look();
    assert.deepEqual(await files(), ['0.log']);
    assert.equal(rotator.rotations, 0);
  });

  it('moves a log away, packs the ones before, and removes the oldest', async () => {
    const names = (times: string[]): string[] => ['0.log', ...times.map((time) => `0.log.20260101-${time}`)];
    for (const [round, expected] of [
      ['000000'],
      ['000000.gz', '000010'],
      ['000000.gz', '000010.gz', '000020'],
      ['000010.gz', '000020.gz', '000030'],
    ].entries()) {
      await fill();
      await rotator.look();
      assert.deepEqual(await files(), names(expected), `round ${round}`);
      await clock.advance(10_000);
    }
    assert.equal(runtime.reopened, 4);
    await site.append(site.lines(1));
    assert.equal(await site.read({ tailLines: 100_000 }), all(500, 2001));
  });

  it('keeps rights and time of a file when it packs it', async () => {
    await fill();
    await rotator.look();
    const before = await stat(site.file('0.log.20260101-000000'));
    await fill();
    await clock.advance(10_000);
    await rotator.look();
    const after = await stat(site.file('0.log.20260101-000000.gz'));
    assert.equal(after.mode, before.mode);
    assert.ok(Math.abs(after.mtimeMs - before.mtimeMs) < 1);
    const packed = gunzipSync(await readFile(site.file('0.log.20260101-000000.gz')));
    assert.equal(packed.length, before.size);
  });

  it('keeps the order of files when the clock goes back', async () => {
    for (let round = 0; round < 3; round++) {
      await fill();
      await rotator.look();
      clock.jumpWall(-3_600_000);
    }
    assert.deepEqual(await files(), [
      '0.log',
      '0.log.20260101-000000.gz',
      '0.log.20260101-000001.gz',
      '0.log.20260101-000002',
    ]);
    assert.equal(await site.read({ tailLines: 100_000 }), all(0, 1500));
  });

  it('has no more than two files where two are allowed', async () => {
    rotator = makeRotator(2);
    for (let round = 0; round < 3; round++) {
      await fill();
      await rotator.look();
      await clock.advance(10_000);
    }
    assert.deepEqual(await files(), ['0.log', '0.log.20260101-000020']);
  });

  it('loses nothing for who follows, whatever is rotated', async () => {
    await site.write('');
    const ended = new AbortController();
    const follower = new Follower(await site.openLog({ follow: true }, { ended: ended.signal }));
    for (let round = 0; round < 6; round++) {
      await fill();
      await rotator.look();
      await clock.advance(10_000);
      await site.append(site.lines(1));
      await eventually('it keeps up', () => follower.text.endsWith(`line ${round * 501 + 500}\n`));
    }
    ended.abort();
    await within('the end', follower.done);
    assert.equal(follower.text, all(0, 6 * 501));
  });

  describe('goes on after a crash', () => {
    beforeEach(async () => {
      for (let round = 0; round < 2; round++) {
        await fill();
        await rotator.look();
        await clock.advance(10_000);
      }
    });
    const OLD = '0.log.20260101-000000.gz';
    const YOUNG = '0.log.20260101-000010';

    it('while a file was being packed', async () => {
      await site.write('half', `${YOUNG}.gz.tmp`);
      await fill();
      await rotator.look();
      assert.deepEqual(await files(), ['0.log', OLD, `${YOUNG}.gz`, '0.log.20260101-000020']);
      assert.equal(await site.read({ tailLines: 100_000 }), all(0, 1500));
    });

    it('after a file was packed, before the one that it was made from is removed', async () => {
      await site.write(gunzipSync(await readFile(site.file(OLD))), '0.log.20260101-000000');
      assert.equal(await site.read({ tailLines: 100_000 }), all(0, 1000));
      await fill();
      await rotator.look();
      assert.deepEqual(await files(), ['0.log', OLD, `${YOUNG}.gz`, '0.log.20260101-000020']);
      assert.equal(await site.read({ tailLines: 100_000 }), all(0, 1500));
    });

    it('after the log was moved away, before the runtime knows', async () => {
      await fill();
      runtime.onReopen = () => Promise.reject(new Error('the runtime is away'));
      await rotator.look();
      assert.ok(!(await files()).includes('0.log'));
      assert.equal(await site.read(), all(1000, 1500));
      rotator = makeRotator();
      await rotator.look();
      assert.ok((await files()).includes('0.log'));
      await site.append(site.lines(1));
      assert.equal(await site.read({ tailLines: 100_000 }), all(0, 1501));
    });
  });

  it('asks what runs only when something has changed, or after a minute', async () => {
    await site.write('');
    rotator.start();
    rotator.start();
    for (let look = 0; look < 5; look++) await clock.advance(10_000);
    await rotator.look();
    assert.equal(runtime.lists, 1);
    runtime.change();
    await rotator.look();
    assert.equal(runtime.lists, 2);
    await clock.advance(70_000);
    await rotator.look(); // perhaps one that began before
    await rotator.look();
    assert.equal(runtime.lists, 3);
    runtime.state = 'exited';
    runtime.change();
    await fill();
    await fill();
    await rotator.look();
    assert.equal(rotator.rotations, 0);
    await rotator.stop();
    await rotator.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  it('looks sooner where a log grows fast', async () => {
    await site.write(site.lines(1));
    rotator.start();
    await clock.advance(10_000);
    await rotator.look();
    await site.append(site.lines(300)); // more than half of what fits, in ten seconds
    await clock.advance(10_000);
    await rotator.look();
    await site.append(site.lines(300));
    await clock.advance(8_000);
    await eventually('it was rotated', () => rotator.rotations === 1);
  });

  it('follows no link', async () => {
    await site.write(site.lines(1), 'other');
    const { symlink } = await import('node:fs/promises');
    await symlink(site.file('other'), site.path);
    await rotator.look();
    assert.equal(rotator.rotations, 0);
    assert.equal(runtime.reopened, 0);
  });
});
