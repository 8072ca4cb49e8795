import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { seededRandom, systemClock } from '@hawser/seams';
import { eventually, FakeClock, makeTempDir, within } from '@hawser/seams/testing';
import { applyDelta, unpack } from '../../src/index.ts';
import { EncodeThread, type EncodeThreadOptions } from '../../src/codec/encode-thread.ts';
import type { EncodeRequest } from '../../src/codec/encode-worker.ts';
import { GeneratedConfigMap } from './generated-content.ts';

/** A worker in which this happens at each message; `post` answers, `count` is the number of the message. */
function script(onMessage: string): URL {
  const source = `import { parentPort } from 'node:worker_threads';
let count = 0;
const post = (packed = new Uint8Array(1)) => parentPort.postMessage({ kind: 'full', packed });
parentPort.on('message', (request) => { count += 1; ${onMessage} });`;
  return new URL(`data:text/javascript,${encodeURIComponent(source)}`);
}

const small: EncodeRequest = { target: Buffer.from('small'), base: undefined };

describe('The thread that encodes', function () {
  this.timeout(30_000);
  let thread: EncodeThread;
  let breaks: string[];

  function open(options: Partial<EncodeThreadOptions> = {}): EncodeThread {
    breaks = [];
    const onBroken = (cause: unknown): void => {
      breaks.push(cause instanceof Error ? cause.message : String(cause));
    };
    thread = new EncodeThread({ clock: systemClock, onBroken, ...options });
    return thread;
  }

  afterEach(() => thread.stop());

  it('encodes, without touching what it is given', async () => {
    const map = new GeneratedConfigMap(seededRandom(1), 300_000);
    const base = map.content.bytes;
    map.change(0.3);
    const target = map.content.bytes;
    open();
    const delta = await thread.run({ target, base });
    assert.equal(delta?.kind, 'delta');
    assert.ok(delta.packed.length < 100);
    assert.equal(Buffer.compare(applyDelta(base, delta.packed), target), 0);
    const full = await thread.run({ target, base: undefined });
    assert.equal(full?.kind, 'full');
    assert.equal(Buffer.compare(unpack(full.packed), target), 0);
    assert.equal(thread.pending, 0);
  });

  it('keeps the order, one at a time', async () => {
    open({ script: script('setTimeout(() => post(Uint8Array.of(count, request.target[0])), 20 / count)') });
    const answers = await Promise.all(
      [7, 8, 9].map((byte) => thread.run({ ...small, target: Buffer.of(byte) })),
    );
    assert.deepEqual(
      answers.map((answer) => [...(answer?.packed ?? [])]),
      [
        [1, 7],
        [2, 8],
        [3, 9],
      ],
    );
  });

  it('refuses when too many wait', async () => {
    open({ script: script('if (request.target[0] === 1) setTimeout(post, 50); else post()'), maxQueued: 2 });
    const first = thread.run({ ...small, target: Buffer.of(1) });
    const waiting = [thread.run(small), thread.run(small)];
    await assert.rejects(thread.run(small), { name: 'SyncError', code: 'ERR_SYNC_BUSY' });
    assert.equal(thread.pending, 3);
    for (const answer of [first, ...waiting]) assert.ok(await answer);
    assert.ok(await thread.run(small));
  });

  for (const [how, code] of Object.entries({
    throws: "throw new Error('out of order')",
    exits: 'process.exit(3)',
    'runs out of memory': 'const all = []; while (true) all.push(new Array(1e5).fill(count))',
  })) {
    it(`that ${how} is started again, and what broke two of them is given up`, async () => {
      open({ script: script(`if (request.target[0] === 1) { ${code} } else post();`) });
      const answers = await within(
        'all are answered',
        Promise.all([thread.run(small), thread.run({ ...small, target: Buffer.of(1) }), thread.run(small)]),
        20_000,
      );
      assert.deepEqual(
        answers.map((answer) => answer !== undefined),
        [true, false, true],
      );
      assert.equal(breaks.length, 2, breaks.join(', '));
    });
  }

  it('that broke once does what it broke at', async () => {
    const dir = await makeTempDir();
    try {
      const file = JSON.stringify(path.join(dir.path, 'broken'));
      const fs = "process.getBuiltinModule('node:fs')";
      open({
        script: script(`const fs = ${fs}; if (fs.existsSync(${file})) post(); else {
          fs.writeFileSync(${file}, ''); throw new Error('only once'); }`),
      });
      assert.ok(await thread.run(small));
      assert.deepEqual(breaks, ['only once']);
    } finally {
      await dir.remove();
    }
  });

  it('that hangs is ended', async () => {
    const clock = new FakeClock();
    open({
      clock,
      timeoutMs: 5000,
      script: script('if (request.target[0] === 1) while (true); else post();'),
    });
    const hanging = thread.run({ ...small, target: Buffer.of(1) });
    const next = thread.run(small);
    await clock.advance(5000);
    await eventually('it was started again', () => breaks.length === 1);
    await clock.advance(5000);
    assert.equal(await hanging, undefined);
    assert.ok(await next);
    assert.deepEqual(breaks, ['no answer in 5000 ms', 'no answer in 5000 ms']);
  });

  it('that breaks each time is left alone for a minute', async () => {
    const clock = new FakeClock();
    open({ clock, script: script('process.exit(1)') });
    const all = [thread.run(small), thread.run(small), thread.run(small), thread.run(small)];
    assert.deepEqual(
      await within('all are given up', Promise.all(all), 20_000),
      all.map(() => undefined),
    );
    assert.equal(breaks.length, 3);
    await clock.advance(59_999);
    assert.equal(await thread.run(small), undefined);
    assert.equal(breaks.length, 3, 'no thread was started');
    await clock.advance(1);
    assert.equal(await thread.run(small), undefined);
    assert.equal(breaks.length, 5);
  });

  it('that has nothing to do for a minute is ended, and started when there is', async () => {
    const clock = new FakeClock();
    open({ clock, script: script('post(Uint8Array.of(count))') });
    assert.ok(!thread.running);
    const counted = async (): Promise<number | undefined> => (await thread.run(small))?.packed[0];
    assert.equal(await counted(), 1);
    await clock.advance(59_999);
    assert.equal(await counted(), 2);
    await clock.advance(59_999);
    assert.ok(thread.running);
    await clock.advance(1);
    assert.ok(!thread.running);
    assert.equal(await counted(), 1, 'a new one');
    assert.deepEqual(breaks, []);
    await thread.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  it('gives up what waits when it is stopped, and does no more', async () => {
    open({ script: script('') });
    const waiting = [thread.run(small), thread.run(small)];
    await thread.stop();
    assert.deepEqual(await Promise.all(waiting), [undefined, undefined]);
    assert.equal(await thread.run(small), undefined);
    assert.equal(thread.pending, 0);
    await thread.stop();
    assert.deepEqual(breaks, [], 'what was asked for is no break');
  });

  it('does not keep a process that is done', async () => {
    open();
    const module = new URL('../../src/codec/encode-thread.js', import.meta.url).href;
    const seams = import.meta.resolve('@hawser/seams');
    const program = `
      import { EncodeThread } from ${JSON.stringify(module)};
      import { systemClock } from ${JSON.stringify(seams)};
      const thread = new EncodeThread({ clock: systemClock });
      const answer = await thread.run({ target: new Uint8Array(1000), base: undefined });
      console.log(answer.kind);`;
    const args = ['--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    assert.equal(stdout.trim(), 'full');
  });
});
