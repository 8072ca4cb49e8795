import assert from 'node:assert/strict';
import { deferred } from '@hawser/seams';
import { DigestTree, packInventory, SyncError, type Content } from '../../src/index.ts';
import { sampleContent } from '../../testing/index.ts';
import { settle } from '../settle.ts';
import { PublisherBench, said } from './publisher-bench.ts';

/** Text that does not pack. */
function noise(length: number, seed = 1): string {
  let text = '';
  for (let state = seed; text.length < length;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    text += String.fromCharCode(33 + ((state >>> 16) % 90));
  }
  return text;
}

function contents(count: number, text = 'one'): Content[] {
  return Array.from({ length: count }, (_, n) => sampleContent(`configmaps/default/c${n}`, `${text} ${n}`));
}

const A = sampleContent('pods/default/a', 'alpha '.repeat(20));
const A2 = sampleContent('pods/default/a', `${'alpha '.repeat(20)}more`);
const B = sampleContent('pods/default/b', 'beta');
const C = sampleContent('pods/default/c', 'gamma');

describe('A publisher that compares', () => {
  it('says that an edge has everything when the digests are equal', async () => {
    const bench = new PublisherBench();
    [A, B].forEach((content) => bench.view.put(content));
    await bench.subscribe([B, A]);
    const { sequence, message } = bench.next('inSync');
    assert.equal(sequence, 1);
    assert.deepEqual([...message.inSync.stamp], [2]);
    bench.nothing();
    assert.equal(bench.publisher.inSync, true);
    assert.equal(bench.publisher.counters.unchanged, 1);
    assert.equal(bench.publisher.counters.inventories, 0);
  });

  it('asks an edge with nothing for nothing', async () => {
    const bench = new PublisherBench();
    [A, B].forEach((content) => bench.view.put(content));
    await bench.subscribe([]);
    const { sequence, changes, inSync } = bench.batch();
    assert.deepEqual(changes, [said('full', A), said('full', B)]);
    assert.deepEqual([sequence, inSync], [1, true]);
    bench.nothing();
    assert.equal(bench.publisher.inSync, false);
    await bench.ack(1);
    bench.nothing();
    assert.equal(bench.publisher.inSync, true);
  });

  it('sends the differences only, removals too', async () => {
    const bench = new PublisherBench();
    [A2, B, C].forEach((content) => bench.view.put(content));
    bench.versions.remember(A);
    const gone = sampleContent('pods/default/gone', 'gone');
    await bench.subscribe([A, B, gone]);
    const { message } = bench.next('askInventory');
    assert.deepEqual([message.askInventory.buckets, message.askInventory.wanted], [1, []]);
    await bench.tellEntries([A, B, gone]);
    const { changes, inSync } = bench.batch();
    assert.deepEqual(
      changes.sort(),
      [said('delta', A2), said('full', C), 'removed pods/default/gone'].sort(),
    );
    assert.equal(inSync, true);
  });

  it('says so when there is no difference after all', async () => {
    const bench = new PublisherBench();
    bench.view.put(A);
    await bench.subscribe([B]);
    bench.next('askInventory');
    bench.view.put(B);
    bench.view.remove(A.key);
    await bench.tellEntries([B]);
    bench.next('inSync');
    bench.nothing();
  });

  it('takes in what changes while it asks', async () => {
    const bench = new PublisherBench();
    bench.view.put(A);
    await bench.subscribe([B]);
    bench.next('askInventory');
    bench.view.put(C);
    bench.view.remove(A.key);
    await bench.tellEntries([B]);
    assert.deepEqual(bench.batch().changes.sort(), [said('full', C), `removed ${B.key}`].sort());
  });

  it('says nothing before the caches are synced, whatever the edge has', async () => {
    const bench = new PublisherBench({}, { ready: false });
    await bench.subscribe([A, B]);
    bench.nothing();
    bench.view.put(A);
    await settle();
    bench.nothing();
    bench.view.put(B);
    bench.view.becomeReady();
    await settle();
    bench.next('inSync');
  });

  it('looks at the stamp first', async () => {
    const admitted = deferred();
    const stamps: number[][] = [];
    const admit = (stamp: Uint8Array): Promise<void> => {
      stamps.push([...stamp]);
      return admitted.promise;
    };
    const bench = new PublisherBench({ admit });
    bench.view.put(A);
    await bench.subscribe([], { stamp: Uint8Array.of(4, 2) });
    assert.deepEqual(stamps, [[4, 2]]);
    bench.nothing();
    admitted.resolve();
    await settle();
    assert.deepEqual(bench.batch().changes, [said('full', A)]);
  });

  it('ends the session of an edge whose stamp is not admitted', async () => {
    const error = new Error('the API server went back');
    const bench = new PublisherBench({ admit: () => Promise.reject(error) });
    bench.view.put(A);
    await bench.subscribe([]);
    bench.nothing();
    assert.deepEqual(bench.failures, [error]);
    assert.equal(bench.view.listeners, 0);
  });

  it('asks for digests of buckets first where there is much on both sides, and sends what differs', async () => {
    const bench = new PublisherBench();
    const have = contents(400);
    const want = have.map((content, n) => (n % 100 === 0 ? sampleContent(content.key, `two ${n}`) : content));
    want.forEach((content) => bench.view.put(content));
    await bench.subscribe(have);
    const first = bench.next('askInventory').message.askInventory;
    assert.deepEqual([first.buckets, first.wanted], [256, []]);
    const tree = DigestTree.of(have.map(({ key, hash }) => [key, hash] as const));
    await bench.report({ bucketDigests: { digests: tree.bucketDigests() } });
    const { wanted } = bench.next('askInventory').message.askInventory;
    assert.ok(wanted.length >= 1 && wanted.length <= 4);
    const entries = [...tree.entriesIn(wanted)];
    const half = Math.floor(entries.length / 2);
    for (const [part, more] of [
      [entries.slice(0, half), true],
      [entries.slice(half), false],
    ] as const) {
      const [packed] = packInventory(part);
      await bench.report({ entries: { packed: packed ?? new Uint8Array(0), more } });
      if (more) bench.nothing();
    }
    const { changes, inSync } = bench.batch();
    assert.deepEqual(changes.sort(), [0, 100, 200, 300].map((n) => said('full', want[n] ?? A)).sort());
    assert.equal(inSync, true);
    assert.equal(bench.publisher.counters.inventories, 1);
  });

  it('sends what has another hash in the normal form before as a new hash only', async () => {
    const bench = new PublisherBench({ normalForm: 2 });
    const old = sampleContent('pods/default/a', 'as the form before had it');
    bench.view.put({ ...A, previousHash: old.hash });
    bench.view.put({ ...B, previousHash: 'f'.repeat(32) });
    await bench.subscribe([old, B], { normalForm: 1 });
    bench.next('askInventory');
    await bench.tellEntries([old, B]);
    const { message } = bench.next('batch');
    assert.equal(message.batch.normalForm, 2);
    assert.deepEqual(
      message.batch.changes.map(({ key, body }) => [key, body]),
      [[A.key, 'rehashed']],
    );
    assert.equal(Buffer.from(message.batch.changes[0]?.base ?? []).toString('hex'), old.hash);
    assert.equal(bench.publisher.counters.rehashes, 1);
  });
});

describe('A publisher that follows', () => {
  /** A bench whose edge has what the view has. */
  async function following(have: readonly Content[] = [A, B]): Promise<PublisherBench> {
    const bench = new PublisherBench();
    have.forEach((content) => bench.view.put(content));
    await bench.subscribe(have);
    bench.next('inSync');
    return bench;
  }

  it('sends each change, against what the edge has, with stamp and news that it has everything', async () => {
    const bench = await following();
    bench.versions.remember(A);
    bench.view.put(A2);
    await settle();
    const { message } = bench.next('batch');
    assert.deepEqual([...message.batch.stamp], [3]);
    assert.equal(message.batch.inSync, true);
    const [change] = message.batch.changes;
    assert.equal(change?.body, 'delta');
    assert.equal(Buffer.from(change.base).toString('hex'), A.hash);
    assert.equal(change.version, A2.version);
  });

  it('sends what changes together in one batch', async () => {
    const bench = await following();
    bench.view.put(C);
    bench.view.remove(A.key);
    bench.view.put(A2);
    bench.view.remove(B.key);
    await settle();
    assert.deepEqual(bench.batch().changes, [said('full', C), said('full', A2), `removed ${B.key}`]);
    bench.nothing();
  });

  it('does not send what came back to what the edge has, nor what came and went', async () => {
    const bench = await following();
    bench.view.put(A2);
    bench.view.put(A);
    bench.view.put(C);
    bench.view.remove(C.key);
    await settle();
    bench.nothing();
    bench.view.put({ ...A, version: '99' });
    await settle();
    bench.nothing();
  });

  it('keeps only keys for an edge that is slow, and sends the latest', async () => {
    const bench = await following([]);
    const large = noise(200_000);
    for (let n = 0; n < 4; n += 1) {
      bench.view.put(sampleContent(`configmaps/default/l${n}`, `${large}${n}`));
      await settle();
    }
    assert.equal(bench.inbox.length, 4);
    for (let version = 0; version < 50; version += 1) {
      bench.view.put(sampleContent('configmaps/default/l0', `${large} version ${version}`));
      bench.view.put(A);
      bench.view.put(A2);
      await settle();
    }
    assert.equal(bench.inbox.length, 4, 'four batches are on their way');
    assert.equal(bench.publisher.pending, 2);
    assert.equal(bench.publisher.unacknowledged, 4);
    await bench.ack(bench.inbox[0]?.sequence ?? 0);
    const last = bench.inbox.splice(0).at(-1);
    assert.ok(last?.message.body === 'batch');
    assert.deepEqual(
      last.message.batch.changes.map(({ key, version }) => [key, version]),
      [
        ['configmaps/default/l0', '1'],
        [A.key, '1'],
      ],
    );
    assert.equal(bench.publisher.pending, 0);
  });

  it('has four batches on their way at most', async () => {
    const bench = await following([]);
    for (let n = 0; n < 6; n += 1) {
      bench.view.put(sampleContent(`configmaps/default/c${n}`, `${n}`));
      await settle();
    }
    assert.equal(bench.inbox.length, 4);
    const sequences = bench.inbox.map(({ sequence }) => sequence);
    assert.deepEqual(sequences, [2, 3, 4, 5]);
    await bench.ack(3);
    assert.equal(bench.inbox.length, 5);
    assert.equal(bench.publisher.unacknowledged, 3);
  });

  it('has 1 MiB on its way at most, in batches of 256 KiB', async () => {
    const bench = await following([]);
    for (let n = 0; n < 30; n += 1) {
      bench.view.put(sampleContent(`configmaps/default/c${n}`, noise(100_000, n + 1)));
    }
    await settle();
    assert.ok(bench.inbox.length >= 3 && bench.inbox.length <= 4);
    let sum = 0;
    for (const { bytes } of bench.inbox) {
      assert.ok(bytes <= 256 * 1024, `${bytes}`);
      sum += bytes;
    }
    assert.ok(sum <= 1024 * 1024, `${sum}`);
    let objects = 0;
    for (let next = bench.inbox.shift(); next !== undefined; next = bench.inbox.shift()) {
      assert.ok(next.message.body === 'batch');
      objects += next.message.batch.changes.length;
      await bench.ack(next.sequence);
    }
    assert.equal(objects, 30);
  });

  it('sends an object that is larger than the window alone', async () => {
    const bench = await following([]);
    const huge = sampleContent('configmaps/default/huge', noise(1_400_000));
    bench.view.put(A);
    await settle();
    bench.view.put(huge);
    bench.view.put(B);
    await settle();
    assert.deepEqual(bench.batch().changes, [said('full', A)]);
    bench.nothing();
    await bench.ack(2);
    const small = bench.batch();
    assert.deepEqual(small.changes, [said('full', B)]);
    // Others that change meanwhile do not overtake it for ever.
    bench.view.put(C);
    await settle();
    bench.nothing();
    await bench.ack(small.sequence);
    const { sequence, changes } = bench.batch();
    assert.deepEqual(changes, [said('full', huge)]);
    bench.nothing();
    await bench.ack(sequence);
    assert.deepEqual(bench.batch().changes, [said('full', C)]);
  });

  it('passes over an object that no frame can carry, and goes on', async () => {
    const bench = await following([]);
    bench.view.put(sampleContent('configmaps/default/monster', noise(5_000_000)));
    bench.view.put(A);
    await settle();
    assert.deepEqual(bench.batch().changes, [said('full', A)]);
    assert.equal(bench.publisher.counters.oversized, 1);
    bench.view.put(sampleContent('configmaps/default/monster', 'tamed'));
    await settle();
    assert.equal(bench.batch().changes.length, 1);
  });

  it('waits until the connection takes the next frame', async () => {
    const bench = await following();
    const taken = deferred();
    bench.sending = () => taken.promise;
    bench.view.put(A2);
    await settle();
    bench.view.put(C);
    await settle();
    assert.equal(bench.batch().changes.length, 1);
    bench.nothing();
    bench.sending = () => Promise.resolve();
    taken.resolve();
    await settle();
    assert.deepEqual(bench.batch().changes, [said('full', C)]);
  });

  it('sends a content whole when the edge could not make it, and says anew that it has everything', async () => {
    const bench = await following();
    bench.versions.remember(A);
    bench.view.put(A2);
    await settle();
    const { sequence } = bench.batch();
    await bench.report({ wantFull: { keys: [A.key, 'pods/default/unknown'] } });
    const again = bench.batch();
    assert.deepEqual(again.changes, [said('full', A2)]);
    assert.equal(again.inSync, true);
    await bench.ack(sequence);
    await bench.ack(again.sequence);
    assert.equal(bench.publisher.inSync, true);
    assert.equal(bench.publisher.counters.wantedFull, 1);
  });

  it('removes what the edge could not make and nobody wants any more', async () => {
    const bench = await following();
    bench.versions.remember(A);
    bench.view.put(A2);
    await settle();
    bench.batch();
    bench.view.remove(A.key);
    // Both are under way to each other.
    bench.publisher.onReport(wantFull(A.key));
    await settle();
    assert.deepEqual(bench.batch().changes, [`removed ${A.key}`]);
    bench.nothing();
  });

  it('takes a word about a key that it is just encoding', async () => {
    const encoded = deferred<{ full: Uint8Array }>();
    let slow = false;
    const bench = new PublisherBench({
      encoder: {
        encode: ({ bytes }) => (slow ? encoded.promise : { full: Buffer.concat([Buffer.of(0), bytes]) }),
      },
    });
    [A, B].forEach((content) => bench.view.put(content));
    await bench.subscribe([A, B]);
    bench.next('inSync');
    bench.view.put(A2);
    await settle();
    bench.batch();
    slow = true;
    bench.view.put(C);
    await settle();
    await bench.report({ wantFull: { keys: [A.key] } });
    bench.view.put(sampleContent(C.key, 'another'));
    slow = false;
    encoded.resolve({ full: Buffer.concat([Buffer.of(0), C.bytes]) });
    await settle();
    const first = bench.batch();
    assert.deepEqual(first.changes, [said('full', C), said('full', A2)]);
    assert.equal(first.inSync, false);
    const second = bench.batch();
    assert.deepEqual(second.changes, [said('full', sampleContent(C.key, 'another'))]);
    assert.equal(second.inSync, true);
  });

  it('tries again in a moment when the encoder has too much to do', async () => {
    let busy = true;
    const bench = new PublisherBench({
      encoder: {
        encode: ({ bytes }) =>
          busy
            ? Promise.reject(new SyncError('ERR_SYNC_BUSY', 'too much to do'))
            : { full: Buffer.concat([Buffer.of(0), bytes]) },
      },
    });
    await bench.subscribe([]);
    bench.next('inSync');
    bench.view.put(A);
    await settle();
    await bench.clock.advance(150);
    bench.nothing();
    busy = false;
    await bench.clock.advance(100);
    assert.deepEqual(bench.batch().changes, [said('full', A)]);
    assert.equal(bench.clock.pendingTimers, 0);
  });

  it('fails with whatever else the encoder throws', async () => {
    const error = new Error('no more memory');
    const bench = new PublisherBench({
      encoder: {
        encode: () => {
          throw error;
        },
      },
    });
    bench.view.put(A);
    await bench.subscribe([]);
    assert.deepEqual(bench.failures, [error]);
  });

  it('fails when the session cannot send any more', async () => {
    const bench = await following();
    const error = new Error('the connection is over');
    bench.sending = () => Promise.reject(error);
    bench.view.put(A2);
    await settle();
    assert.deepEqual(bench.failures, [error]);
    assert.equal(bench.view.listeners, 0);
  });
});

describe('A publisher that is closed', () => {
  it('says nothing any more, and has let go of everything', async () => {
    const bench = new PublisherBench();
    bench.view.put(A);
    await bench.subscribe([]);
    bench.batch();
    bench.publisher.close();
    bench.publisher.close();
    bench.view.put(B);
    bench.publisher.onAck(99);
    bench.publisher.onReport(wantFull(A.key));
    await settle();
    bench.nothing();
    assert.equal(bench.view.listeners, 0);
    assert.equal(bench.clock.pendingTimers, 0);
    assert.deepEqual(bench.failures, []);
  });

  it('does not mind what ends later: an admission, an encoding, a send', async () => {
    const later = deferred();
    const rejected = (): Promise<never> => later.promise.then(() => Promise.reject(new Error('too late')));
    const admitting = new PublisherBench({ admit: rejected });
    await admitting.subscribe([]);
    const encoding = new PublisherBench({ encoder: { encode: rejected } });
    encoding.view.put(A);
    await encoding.subscribe([]);
    const sending = new PublisherBench();
    sending.sending = rejected;
    sending.view.put(A);
    await sending.subscribe([]);
    for (const bench of [admitting, encoding, sending]) bench.publisher.close();
    later.resolve();
    await settle();
    for (const bench of [admitting, encoding, sending]) assert.deepEqual(bench.failures, []);
  });
});

/** `ScopeReport.body` that wants this key whole. */
function wantFull(key: string): Uint8Array {
  const name = Buffer.from(key);
  // EdgeMessage.want_full (3) { keys (1) }, by hand.
  return Buffer.concat([Buffer.of(0x1a, name.length + 2, 0x0a, name.length), name]);
}
