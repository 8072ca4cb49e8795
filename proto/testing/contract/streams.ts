import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { delay, randomBelow, seededRandom } from '@hawser/seams';
import { eventually, scaled, within } from '@hawser/seams/testing';
import type { Connection, Stream } from '../../src/index.ts';
import type { TestAuthority } from '../test-pki.ts';
import { drain, echo, openPair, rejectsWith, Site, type TransportUnderTest } from './harness.ts';

/** Streams: opening, bytes, ends, resets, back-pressure, limits. */
export function streamContract(underTest: TransportUnderTest, authority: () => TestAuthority): void {
  let site: Site;
  let edge: Connection;
  let hub: Connection;

  async function open(limits: Parameters<typeof Site.open>[2] = {}): Promise<void> {
    site = await Site.open(underTest, authority(), limits);
    ({ edge, hub } = await site.connect());
  }

  afterEach(() => site.close());

  describe('open and accept', () => {
    it('carries the kind, both ways', async () => {
      await open();
      const down = await openPair(hub, edge, 'logs');
      const up = await openPair(edge, hub, 'exec.attach-1');
      assert.equal(down.far.kind, 'logs');
      assert.equal(up.far.kind, 'exec.attach-1');
      assert.notEqual(down.near.id, up.near.id);
      assert.equal(down.near.id, down.far.id);
    });

    it('refuses a kind that is none', async () => {
      await open();
      for (const kind of ['', 'Upper', 'a b', 'x'.repeat(65)]) {
        await rejectsWith(edge.openStream(kind), 'ERR_TUNNEL_BAD_FRAME');
      }
    });

    it('gives streams that were opened before anybody accepts', async () => {
      await open();
      await Promise.all(['a', 'b', 'c'].map((kind) => edge.openStream(kind)));
      const kinds = [await hub.acceptStream(), await hub.acceptStream(), await hub.acceptStream()].map(
        (s) => s?.kind,
      );
      assert.deepEqual(kinds.sort(), ['a', 'b', 'c']);
    });

    it('refuses two acceptStream at a time', async () => {
      await open();
      const first = hub.acceptStream();
      await assert.rejects(hub.acceptStream(), TypeError);
      await edge.openStream('a');
      assert.equal((await first)?.kind, 'a');
    });
  });

  describe('bytes', () => {
    it('arrive as they were sent, whatever the sizes of the writes', async () => {
      await open();
      void echo(hub);
      const random = seededRandom(1);
      const stream = await edge.openStream('echo');
      const sent = createHash('sha256');
      const writing = (async () => {
        for (const size of [
          0,
          1,
          2,
          1000,
          16_384,
          65_535,
          65_536,
          65_537,
          1_000_000,
          randomBelow(random, 300_000),
        ]) {
          const data = randomBytes(size);
          sent.update(data);
          await stream.write(data);
        }
        await stream.end();
      })();
      const received = createHash('sha256')
        .update(await within('the echo', drain(stream)))
        .digest('hex');
      await writing;
      assert.equal(received, sent.digest('hex'));
    });

    it('keep the order of writes that nobody awaited', async () => {
      await open();
      const { near, far } = await openPair(edge, hub);
      const writes = Array.from({ length: 200 }, (_, i) => near.write(Buffer.from(`${i},`)));
      await Promise.all([...writes, near.end()]);
      assert.equal((await drain(far)).toString(), Array.from({ length: 200 }, (_, i) => `${i},`).join(''));
    });

    it('travel on many streams at once without mixing', async () => {
      await open();
      void echo(hub);
      const random = seededRandom(7);
      const sizes = Array.from({ length: 60 }, () => randomBelow(random, 400_000));
      await within(
        'all echoes',
        Promise.all(
          sizes.map(async (size, i) => {
            const data = Buffer.alloc(size, i + 1);
            const stream = await edge.openStream('echo');
            const reading = drain(stream);
            await stream.write(data);
            await stream.end();
            assert.ok((await reading).equals(data), `stream ${i}`);
          }),
        ),
        30_000,
      );
    });

    it('are counted', async () => {
      await open();
      const { near, far } = await openPair(edge, hub);
      await near.write(Buffer.alloc(10_000));
      await near.end();
      await drain(far);
      assert.ok(edge.stats.bytesSent >= 10_000);
      assert.ok(hub.stats.bytesReceived >= 10_000);
      assert.equal(edge.stats.streamsOpened, 1);
      assert.equal(hub.stats.streamsAccepted, 1);
    });
  });

  describe('half-close', () => {
    it('ends one direction and leaves the other', async () => {
      await open();
      const { near, far } = await openPair(edge, hub);
      await near.write(Buffer.from('question'));
      await near.end();
      assert.equal((await drain(far)).toString(), 'question');
      assert.equal(await far.read(), undefined, 'the end stays the end');
      await far.write(Buffer.from('answer'));
      await far.end();
      assert.equal((await drain(near)).toString(), 'answer');
      assert.equal(await within('near closed', near.closed), undefined);
      assert.equal(await within('far closed', far.closed), undefined);
    });

    it('is idempotent, and writing after it fails', async () => {
      await open();
      const { near } = await openPair(edge, hub);
      await Promise.all([near.end(), near.end()]);
      await near.end();
      await rejectsWith(near.write(Buffer.from('late')), 'ERR_TUNNEL_ABORTED');
    });

    it('works without a byte, from both sides at once', async () => {
      await open();
      const { near, far } = await openPair(edge, hub);
      await Promise.all([near.end(), far.end()]);
      assert.equal(await within('near read', near.read()), undefined);
      assert.equal(await within('far read', far.read()), undefined);
      await within('closed', Promise.all([near.closed, far.closed]));
    });
  });

  describe('reset', () => {
    it('fails both ends, both ways, and nothing else', async () => {
      await open();
      const { near, far } = await openPair(edge, hub);
      const other = await openPair(edge, hub);
      const pendingRead = far.read();
      near.reset();
      await rejectsWith(pendingRead, 'ERR_TUNNEL_STREAM_RESET');
      await rejectsWith(far.write(Buffer.from('x')), 'ERR_TUNNEL_STREAM_RESET');
      await rejectsWith(near.read(), 'ERR_TUNNEL_ABORTED');
      await rejectsWith(near.write(Buffer.from('x')), 'ERR_TUNNEL_ABORTED');
      assert.ok((await near.closed) instanceof Error);
      assert.ok((await far.closed) instanceof Error);
      await other.near.write(Buffer.from('alive'));
      assert.equal(Buffer.from((await other.far.read()) ?? []).toString(), 'alive');
    });

    it('frees a reader of its own', async () => {
      await open();
      const { near } = await openPair(edge, hub);
      const pendingRead = near.read();
      near.reset();
      await rejectsWith(pendingRead, 'ERR_TUNNEL_ABORTED');
    });

    it('frees a writer that is blocked, at either end', async () => {
      await open();
      const first = await openPair(edge, hub);
      const blockedHere = first.near.write(Buffer.alloc(4 * 1024 * 1024));
      first.near.reset();
      await rejectsWith(blockedHere, 'ERR_TUNNEL_ABORTED');
      const second = await openPair(edge, hub);
      const blockedThere = second.near.write(Buffer.alloc(4 * 1024 * 1024));
      await eventually(
        'bytes at the other end',
        () => hub.stats.bytesReceived > 1000 || second.far.kind === 'test',
      );
      second.far.reset();
      await rejectsWith(blockedThere, 'ERR_TUNNEL_STREAM_RESET');
    });

    it('is idempotent, harmless after the end, and works from both ends at once', async () => {
      await open();
      const both = await openPair(edge, hub);
      both.near.reset();
      both.far.reset();
      both.near.reset();
      await within('closed', Promise.all([both.near.closed, both.far.closed]));
      const ended = await openPair(edge, hub);
      await Promise.all([ended.near.end(), ended.far.end()]);
      await Promise.all([drain(ended.near), drain(ended.far)]);
      ended.near.reset();
      assert.equal(await within('closed in good order', ended.near.closed), undefined);
    });

    it('follows from leaving a loop over a stream early', async () => {
      await open();
      const { near, far } = await openPair(edge, hub);
      await near.write(Buffer.alloc(1000));
      for await (const chunk of far) {
        assert.ok(chunk.length > 0);
        break;
      }
      assert.ok((await within('near closed', near.closed)) instanceof Error);
    });
  });

  describe('back-pressure', () => {
    it('holds a writer whose reader does not read, and nobody else', async () => {
      await open({ limits: { streamWindowBytes: 64 * 1024 } });
      const stuck = await openPair(edge, hub);
      let written = 0;
      const writing = (async () => {
        for (let i = 0; i < 64; i++) {
          await stuck.near.write(Buffer.alloc(32 * 1024, i));
          written += 32 * 1024;
        }
        await stuck.near.end();
      })();
      void echo(hub);
      for (let i = 0; i < 20; i++) {
        const stream = await edge.openStream('echo');
        await stream.write(Buffer.alloc(100_000, i));
        await stream.end();
        assert.equal((await within('an echo beside a stuck stream', drain(stream))).length, 100_000);
      }
      assert.ok(written <= 256 * 1024, `the writer went on to ${written} bytes`);
      assert.equal((await within('the rest', drain(stuck.far))).length, 2 * 1024 * 1024);
      await writing;
    });

    it('holds when every stream but one is stuck', async () => {
      const count = 40;
      await open();
      const stuck = await Promise.all(
        Array.from({ length: count }, async () => {
          const stream = await edge.openStream('stuck');
          const write = stream.write(Buffer.alloc(1024 * 1024));
          return { stream, write: write.catch(() => 'failed') };
        }),
      );
      const free = await edge.openStream('free');
      await free.write(Buffer.alloc(10_000));
      await free.end();
      const accepted: Stream[] = [];
      for (let i = 0; i <= count; i++) {
        const stream = await within('a stream', hub.acceptStream());
        assert.ok(stream);
        accepted.push(stream);
      }
      const arrived = accepted.find((stream) => stream.kind === 'free');
      assert.ok(arrived);
      assert.equal((await within('the free stream', drain(arrived))).length, 10_000);
      for (const { stream } of stuck) stream.reset();
      await within('the writers', Promise.all(stuck.map(({ write }) => write)));
    });
  });

  describe('abort signals', () => {
    const reason = new Error('given up');

    it('end a read and leave the stream as it was', async () => {
      await open();
      const { near, far } = await openPair(edge, hub);
      const controller = new AbortController();
      const reading = far.read({ signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(reading, reason);
      await assert.rejects(far.read({ signal: AbortSignal.abort(reason) }), reason);
      await near.write(Buffer.from('still'));
      assert.equal(Buffer.from((await within('a read', far.read())) ?? []).toString(), 'still');
    });

    it('end a write and reset the stream', async () => {
      await open();
      const { near, far } = await openPair(edge, hub);
      const controller = new AbortController();
      const writing = near.write(Buffer.alloc(4 * 1024 * 1024), { signal: controller.signal });
      controller.abort(reason);
      await assert.rejects(writing, reason);
      await rejectsWith(drain(far), 'ERR_TUNNEL_STREAM_RESET');
    });

    it('end an open that waits for the stream limit, and give the place to the next', async () => {
      await open({ limits: { maxStreams: 4 } });
      const streams = await Promise.all([1, 2, 3, 4].map(() => edge.openStream('held')));
      const controller = new AbortController();
      const waiting = edge.openStream('over', { signal: controller.signal });
      const next = edge.openStream('next');
      controller.abort(reason);
      await assert.rejects(waiting, reason);
      void echo(hub);
      for (const stream of streams) {
        await stream.end();
        await drain(stream);
      }
      const opened = await within('the next stream', next);
      await opened.end();
      assert.equal((await drain(opened)).length, 0);
    });
  });

  describe('limits', () => {
    it('let no more streams be open than allowed', async () => {
      await open({ limits: { maxStreams: 8 } });
      let most = 0;
      const accepting = (async () => {
        for (let far = await hub.acceptStream(); far !== undefined; far = await hub.acceptStream()) {
          most = Math.max(most, hub.stats.openStreams);
          const accepted = far;
          // Held for a moment, so that the opener runs into its limit.
          void delay(10)
            .then(() => accepted.end())
            .then(() => drain(accepted))
            .catch(() => 'the test ended');
        }
      })();
      await within(
        'all streams',
        Promise.all(
          Array.from({ length: 100 }, async (_, i) => {
            const stream = await edge.openStream('short');
            await stream.write(Buffer.from(`stream ${i}`));
            await stream.end();
            await drain(stream);
          }),
        ),
        30_000,
      );
      assert.ok(most >= 4 && most <= 8, `${most} streams at once`);
      edge.destroy({ code: 'normal', message: 'done' });
      await within('the accept loop', accepting);
    });
  });

  it(`survives ${scaled(12_000, 900_000)} short streams without a leak`, async function () {
    this.timeout(scaled(120_000, 0));
    await open();
    void echo(hub);
    const exchange = async (): Promise<void> => {
      const stream = await edge.openStream('echo');
      await stream.write(Buffer.from('ping'));
      await stream.end();
      assert.equal((await drain(stream)).toString(), 'ping');
    };
    const exchanges = async (count: number): Promise<void> => {
      const worker = async (): Promise<void> => {
        for (let i = 0; i < count / 16; i++) await exchange();
      };
      await Promise.all(Array.from({ length: 16 }, worker));
    };
    // A leak grows with every batch; the runtime's own growth (compiled code, caches) does not.
    const growth: number[] = [];
    let heap = await heapUsed();
    for (let batch = 0; batch < 3; batch++) {
      await exchanges(scaled(4000, 300_000));
      const now = await heapUsed();
      growth.push(now - heap);
      heap = now;
    }
    const least = Math.min(...growth);
    assert.ok(least < 1024 * 1024, `the heap grew by at least ${Math.round(least / 1024)} KiB a batch`);
    await eventually('all streams closed', () => edge.stats.openStreams + hub.stats.openStreams === 0);
    const last = await edge.openStream('echo');
    await last.end();
    assert.equal((await drain(last)).length, 0);
  });
}

async function heapUsed(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await delay(10); // finalizers run between turns
  }
  return process.memoryUsage().heapUsed;
}
