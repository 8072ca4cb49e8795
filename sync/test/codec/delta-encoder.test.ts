import assert from 'node:assert/strict';
import { deferred, seededRandom, type Deferred } from '@hawser/seams';
import {
  pack,
  applyDelta,
  DeltaEncoder,
  hashOf,
  SyncError,
  unpack,
  VersionCache,
  type Content,
  type EncodedChange,
} from '../../src/index.ts';
import { encodeChange, type Encoding } from '../../src/codec/encode-change.ts';
import type { EncodeRunner } from '../../src/codec/encode-thread.ts';
import type { EncodeRequest } from '../../src/codec/encode-worker.ts';
import { GeneratedConfigMap, randomText } from './generated-content.ts';

/** Two versions of a ConfigMap of about so many bytes, the later with another value of one key. */
function versions(bytes: number, seed = 1): readonly [Content, Content] {
  const map = new GeneratedConfigMap(seededRandom(seed), bytes);
  const before = map.content;
  map.change(0.5);
  return [before, map.content];
}

function contentOfText(text: string): Content {
  const bytes = Buffer.from(text);
  return { key: 'configmaps/default/text', hash: hashOf(bytes), version: '1', bytes };
}

/** What the edge makes of it. */
function made(change: EncodedChange, edgeHas?: Content): Buffer {
  if ('full' in change) return Buffer.from(unpack(change.full));
  assert.ok(edgeHas);
  assert.equal(change.base, edgeHas.hash);
  return Buffer.from(applyDelta(edgeHas.bytes, change.delta));
}

/** The answer, which has to be there at once. */
function atOnce(change: EncodedChange | Promise<EncodedChange>): EncodedChange {
  assert.ok(!(change instanceof Promise), 'answered at once');
  return change;
}

/** A thread that answers when the test says so. */
class ManualRunner implements EncodeRunner {
  readonly requests: { readonly request: EncodeRequest; readonly done: Deferred<Encoding | undefined> }[] =
    [];
  stops = 0;

  run(request: EncodeRequest): Promise<Encoding | undefined> {
    const done = deferred<Encoding | undefined>();
    this.requests.push({ request, done });
    return done.promise;
  }

  /** Answers the oldest. */
  answer(): void {
    const next = this.requests.shift();
    assert.ok(next);
    next.done.resolve(encodeChange(next.request.target, next.request.base));
  }

  stop(): Promise<void> {
    this.stops += 1;
    return Promise.resolve();
  }
}

describe('The encoder of changes', () => {
  it('sends all of it to an edge that has nothing', () => {
    const [content] = versions(2000);
    const encoder = new DeltaEncoder();
    const change = atOnce(encoder.encode(content));
    assert.ok('full' in change);
    assert.deepEqual(made(change), Buffer.from(content.bytes));
  });

  it('sends a delta to an edge that has what it encoded before', () => {
    const [before, after] = versions(20_000);
    const encoder = new DeltaEncoder();
    atOnce(encoder.encode(before));
    const change = atOnce(encoder.encode(after, before.hash));
    assert.ok('delta' in change && change.delta.length < 100);
    assert.deepEqual(made(change, before), Buffer.from(after.bytes));
  });

  it('sends a delta to an edge that has what was remembered', () => {
    const [before, after] = versions(20_000);
    const kept = new VersionCache();
    kept.remember(before);
    const change = atOnce(new DeltaEncoder({ versions: kept }).encode(after, before.hash));
    assert.ok('delta' in change);
  });

  it('sends what is kept packed as it is, and remembers nothing where others do', () => {
    const [before, after] = versions(20_000);
    const encoder = new DeltaEncoder({ remembersTargets: false });
    const packed = pack(before.bytes);
    const change = atOnce(encoder.encode({ ...before, packed }));
    assert.ok('full' in change && change.full === packed);
    assert.ok('full' in atOnce(encoder.encode(after, before.hash)));
    assert.equal(encoder.counters().versionsNow, 0);
  });

  it('sends all of it where the bytes that the edge has are gone', () => {
    const [before, after] = versions(20_000);
    const encoder = new DeltaEncoder({ versions: new VersionCache(25_000) });
    atOnce(encoder.encode(before));
    atOnce(encoder.encode(contentOfText(randomText(seededRandom(2), 20_000))));
    const change = atOnce(encoder.encode(after, before.hash));
    assert.ok('full' in change);
    assert.deepEqual(made(change), Buffer.from(after.bytes));
    assert.equal(encoder.counters().basesMissing, 1);
  });

  it('sends all of it where that is smaller', () => {
    const encoder = new DeltaEncoder();
    const random = seededRandom(3);
    const before = contentOfText(randomText(random, 100));
    const after = contentOfText('a'.repeat(100));
    atOnce(encoder.encode(before));
    const change = atOnce(encoder.encode(after, before.hash));
    assert.ok('full' in change && change.full.length < 20);
    // And a delta where that is, however small the content.
    const short = contentOfText('{"a":1,"b":"two and three and four"}');
    const shorter = contentOfText('{"a":2,"b":"two and three and four"}');
    atOnce(encoder.encode(short));
    assert.ok('delta' in atOnce(encoder.encode(shorter, short.hash)));
  });

  it('sends all of it to an edge that has it', () => {
    const [content] = versions(2000);
    const change = atOnce(new DeltaEncoder().encode(content, content.hash));
    assert.ok('full' in change);
  });

  it('encodes each pair once, for all sessions', () => {
    const [before, after] = versions(20_000);
    const encoder = new DeltaEncoder();
    atOnce(encoder.encode(before));
    const first = atOnce(encoder.encode(after, before.hash));
    const second = atOnce(encoder.encode(after, before.hash));
    assert.ok('delta' in first && 'delta' in second);
    assert.equal(second.delta, first.delta);
    // The whole of it is another pair.
    assert.ok('full' in atOnce(encoder.encode(after)));
    const { deltas, fulls, reused, pairsNow, versionsNow } = encoder.counters();
    assert.deepEqual(
      { deltas, fulls, reused, pairsNow, versionsNow },
      {
        deltas: 1,
        fulls: 2,
        reused: 1,
        pairsNow: 3,
        versionsNow: 2,
      },
    );
  });

  it('keeps what it encoded within its bound', () => {
    const encoder = new DeltaEncoder({ maxEncodedBytes: 10_000, versions: new VersionCache(10_000) });
    for (let seed = 0; seed < 50; seed++)
      atOnce(encoder.encode(contentOfText(randomText(seededRandom(seed), 3000))));
    const { pairBytesNow, versionBytesNow, contentBytes, packedBytes } = encoder.counters();
    assert.ok(pairBytesNow <= 10_000 && versionBytesNow <= 10_000);
    assert.equal(contentBytes, 50 * 3000);
    assert.ok(packedBytes > 50 * 2000 && packedBytes < contentBytes);
  });

  describe('given a large content', () => {
    it('has a thread encode it, once for all who ask meanwhile', async () => {
      const runner = new ManualRunner();
      const encoder = new DeltaEncoder({ runner });
      const [before, after] = versions(100_000);
      const first = encoder.encode(before);
      assert.ok(first instanceof Promise);
      runner.answer();
      await first;

      const changes = [1, 2, 3].map(() => encoder.encode(after, before.hash));
      assert.equal(runner.requests.length, 1);
      runner.answer();
      for (const change of changes) {
        assert.ok(change instanceof Promise);
        assert.deepEqual(made(await change, before), Buffer.from(after.bytes));
      }
      assert.ok('delta' in atOnce(encoder.encode(after, before.hash)));
      assert.equal(encoder.counters().deltas, 1);
      assert.equal(encoder.counters().reused, 3);
    });

    it('has the thread encode where only the base is large', async () => {
      const runner = new ManualRunner();
      const [before] = versions(100_000);
      const kept = new VersionCache();
      kept.remember(before);
      const change = new DeltaEncoder({ runner, versions: kept }).encode(contentOfText('small'), before.hash);
      runner.answer();
      assert.equal(made(await change, before).toString(), 'small');
    });

    it('goes at once where it is told to', () => {
      const encoder = new DeltaEncoder({ threadAboveBytes: Infinity, runner: new ManualRunner() });
      const [before, after] = versions(300_000);
      atOnce(encoder.encode(before));
      assert.deepEqual(made(atOnce(encoder.encode(after, before.hash)), before), Buffer.from(after.bytes));
    });

    it('sends it as it is where the thread cannot, and asks again the next time', async () => {
      const runner = new ManualRunner();
      const encoder = new DeltaEncoder({ runner });
      const [content] = versions(100_000);
      const change = encoder.encode(content);
      runner.requests.shift()?.done.resolve(undefined);
      assert.deepEqual(made(await change), Buffer.from(content.bytes));
      assert.equal(encoder.counters().unpacked, 1);
      assert.equal(encoder.counters().pairsNow, 0);
      const again = encoder.encode(content);
      runner.answer();
      const packed = await again;
      assert.ok('full' in packed && packed.full.length < content.bytes.length);
    });

    it('passes on that too many wait, and asks again the next time', async () => {
      const runner = new ManualRunner();
      const encoder = new DeltaEncoder({ runner });
      const [content] = versions(100_000);
      const changes = [encoder.encode(content), encoder.encode(content)];
      runner.requests.shift()?.done.reject(new SyncError('ERR_SYNC_BUSY', 'too many'));
      for (const change of changes) await assert.rejects(async () => change, { code: 'ERR_SYNC_BUSY' });
      assert.ok(encoder.encode(content) instanceof Promise);
      assert.equal(runner.requests.length, 1);
    });
  });

  it('stops its thread', async () => {
    const runner = new ManualRunner();
    await new DeltaEncoder({ runner }).stop();
    assert.equal(runner.stops, 1);
    // One that was never needed was never started.
    await new DeltaEncoder().stop();
  });
});
