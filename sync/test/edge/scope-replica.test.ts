import assert from 'node:assert/strict';
import { encodeHubMessage, type OutgoingHubMessage } from '@hawser/proto';
import { deferred } from '@hawser/seams';
import { contentOf, DigestTree, NORMAL_FORMS, type NormalForms } from '../../src/index.ts';
import { packRaw } from '../../src/codec/pack.ts';
import { MemoryDisk, sampleContent } from '../../testing/index.ts';
import { settle } from '../settle.ts';
import { delta, full, removed, ReplicaBench, SCOPE } from './replica-bench.ts';

const A = sampleContent('configmaps/default/a', 'alpha '.repeat(20), '5');
const A2 = sampleContent('configmaps/default/a', `${'alpha '.repeat(20)}more`, '6');
const B = sampleContent('configmaps/default/b', 'beta', '7');
const C = sampleContent('configmaps/default/c', 'gamma', '8');

describe('A replica', () => {
  it('says what it has', async () => {
    const empty = await new ReplicaBench().open();
    assert.deepEqual(empty.subscribed, ['node', 'edge-1']);
    assert.deepEqual([empty.state?.normalForm, empty.state?.count, empty.state?.stamp.length], [0, 0, 0]);
    assert.deepEqual([...(empty.state?.digest ?? [])], new Array(16).fill(0));
    const bench = await new ReplicaBench().has([A, B]);
    await bench.open();
    const tree = DigestTree.of([
      [B.key, B.hash],
      [A.key, A.hash],
    ]);
    assert.deepEqual([...(bench.state?.digest ?? [])], [...tree.digest()]);
    assert.deepEqual([bench.state?.normalForm, bench.state?.count], [1, 2]);
    assert.deepEqual([...(bench.state?.stamp ?? [])], [1]);
  });

  it('makes a batch durable, tells, and acknowledges then', async () => {
    const bench = await new ReplicaBench().open();
    const told: string[][] = [];
    bench.store.listen((_, keys) => told.push([...keys]));
    const flushed = deferred();
    bench.flush = () => flushed.promise;
    await bench.batch([full(A), full(B)]);
    assert.deepEqual(bench.said(), []);
    assert.equal(bench.synced, 0);
    flushed.resolve();
    await settle();
    assert.deepEqual(bench.said(), ['ack 1']);
    assert.deepEqual(told, [[A.key, B.key]]);
    assert.equal(bench.synced, 1);
    assert.deepEqual(bench.store.entries(SCOPE).get(A.key), { hash: A.hash, version: '5', sizeBytes: 120 });
    const { normalForm, stamp } = bench.store.record(SCOPE);
    assert.deepEqual([normalForm, ...stamp], [1, 10]);
    assert.deepEqual(bench.replica.state, {
      connected: true,
      synced: true,
      objects: 2,
      heldRemovals: 0,
      wanted: 0,
      diskError: undefined,
      diskErrorCode: undefined,
    });
  });

  it('makes new contents of its own, and removes', async () => {
    const bench = await (await new ReplicaBench().has([A, B, C])).open();
    await bench.batch([delta(A, A2), removed(B), { key: 'configmaps/default/none', removed: true }]);
    assert.deepEqual(bench.said(), ['ack 1']);
    assert.deepEqual(bench.keys, [A.key, C.key]);
    assert.deepEqual(await bench.store.read(SCOPE, A.key), new Uint8Array(A2.bytes));
    assert.equal(bench.store.entries(SCOPE).get(A.key)?.version, '6');
  });

  it('writes nothing when a batch brings nothing', async () => {
    const bench = await (await new ReplicaBench().has([A])).open();
    await bench.say({ batch: { changes: [{ key: B.key, removed: true }], normalForm: 1, inSync: true } });
    assert.deepEqual(bench.said(), ['ack 1']);
    assert.equal(bench.writes, 0);
    assert.equal(bench.synced, 1);
  });

  it('keeps the stamp of what it was told, and does not write the same one twice', async () => {
    const bench = await (await new ReplicaBench().has([A])).open();
    await bench.say({ inSync: { stamp: Uint8Array.of(9) } });
    assert.equal(bench.synced, 1);
    assert.deepEqual([...bench.store.record(SCOPE).stamp], [9]);
    assert.equal(bench.writes, 1);
    await bench.say({ inSync: { stamp: Uint8Array.of(9) } });
    assert.equal(bench.writes, 1);
    assert.deepEqual(bench.said(), []);
    await bench.batch([full(B)], { inSync: false });
    assert.deepEqual([...bench.store.record(SCOPE).stamp], [12]);
    assert.equal(bench.replica.state.synced, false);
    assert.equal(bench.synced, 2);
  });

  it('says that it has everything even when the disk does not take the stamp', async () => {
    const bench = await (await new ReplicaBench().has([A])).open();
    bench.flush = () => Promise.reject(Object.assign(new Error('the disk is full'), { code: 'ERR_FULL' }));
    await bench.say({ inSync: { stamp: Uint8Array.of(9) } });
    assert.equal(bench.synced, 1);
    const { diskError, diskErrorCode } = bench.replica.state;
    assert.deepEqual([diskError, diskErrorCode], ['the disk is full', 'ERR_FULL']);
    assert.equal(bench.clock.pendingTimers, 0);
  });

  it('asks for what it cannot make, once, and takes all the rest', async () => {
    const bench = await (await new ReplicaBench().has([A, B])).open();
    const other = sampleContent(A.key, 'another base');
    await bench.batch([delta(other, A2), full(C)]);
    assert.deepEqual(bench.said(), [`want ${A.key}`, 'ack 1']);
    assert.deepEqual(bench.keys, [A.key, B.key, C.key]);
    assert.equal(bench.store.entries(SCOPE).get(A.key)?.hash, A.hash);
    assert.equal(bench.synced, 0);
    assert.equal(bench.replica.state.wanted, 1);
    // On its way since before it asked.
    await bench.batch([delta(A2, sampleContent(A.key, 'third'))]);
    await bench.say({ inSync: { stamp: Uint8Array.of(9) } });
    assert.deepEqual(bench.said(), ['ack 2']);
    assert.equal(bench.synced, 0);
    await bench.batch([full(A2)]);
    assert.deepEqual(bench.said(), ['ack 4']);
    assert.equal(bench.synced, 1);
    assert.equal(bench.replica.counters().unmade, 1);
  });

  it('does not wait any longer for what is to go', async () => {
    const bench = await (await new ReplicaBench().has([A, B, C])).open();
    await bench.batch([delta(sampleContent(A.key, 'another base'), A2)]);
    await bench.batch([removed(A)]);
    assert.deepEqual(bench.said(), [`want ${A.key}`, 'ack 1', 'ack 2']);
    assert.equal(bench.synced, 1);
  });

  it('asks for what comes out wrong, and keeps what it has', async () => {
    const wrong = delta(A, A2);
    const cases = [
      { ...wrong, delta: Uint8Array.of(0, 255, 255) },
      { ...wrong, hash: Buffer.alloc(16, 7) },
    ];
    for (const change of cases) {
      const bench = await (await new ReplicaBench().has([A, B])).open();
      await bench.batch([change]);
      assert.deepEqual(bench.said(), [`want ${A.key}`, 'ack 1']);
      assert.deepEqual(await bench.store.read(SCOPE, A.key), A.bytes);
      assert.deepEqual(bench.failures, []);
    }
  });

  it('asks for what the disk does not give, or not as it was', async () => {
    const answers = [
      () => Promise.reject(new Error('the disk cannot read')),
      () => Promise.resolve(undefined),
      () => Promise.resolve(Buffer.from('rotten')),
    ];
    for (const read of answers) {
      const bench = await (await new ReplicaBench().has([A, B])).open();
      bench.store.read = read;
      await bench.batch([delta(A, A2)]);
      assert.deepEqual(bench.said(), [`want ${A.key}`, 'ack 1']);
    }
  });

  it('tries a disk that refuses again and again, acknowledges nothing meanwhile, and says so', async () => {
    const bench = await (await new ReplicaBench().has([A])).open();
    bench.flush = () => Promise.reject(new Error('the disk is full'));
    await bench.batch([full(B)]);
    await bench.batch([full(C)]);
    for (const waitMs of [500, 1_000, 2_000, 4_000]) await bench.clock.advance(waitMs);
    assert.deepEqual(bench.said(), []);
    assert.deepEqual(bench.keys, [A.key]);
    assert.equal(bench.replica.state.diskError, 'the disk is full');
    assert.ok(bench.writes >= 4 && bench.writes <= 6, `${bench.writes}`);
    bench.flush = () => Promise.resolve();
    await bench.clock.advance(30_000);
    assert.deepEqual(bench.said(), ['ack 1', 'ack 2']);
    assert.equal(bench.replica.state.diskError, undefined);
    assert.equal(bench.synced, 1);
    assert.equal(bench.clock.pendingTimers, 0);
  });

  it('answers what it is asked about its inventory', async () => {
    const bench = await (await new ReplicaBench().has([A, B])).open();
    await bench.say({ askInventory: { buckets: 1 } });
    await bench.say({ askInventory: { buckets: 256 } });
    await bench.say({ askInventory: { buckets: 256, wanted: [0, 1, 2] } });
    assert.deepEqual(bench.said(), ['entries', 'digests 2048', 'entries']);
  });

  it('makes the new normal form of its own contents, where it knows it', async () => {
    const [before, after] = releases();
    const object = {
      metadata: { name: 'a', namespace: 'default', annotations: { dropped: '1', kept: '2' } },
    };
    const old = contentOf('configmaps', object, before);
    const now = contentOf('configmaps', object, after);
    assert.equal(now.previousHash, old.hash);
    const change = {
      key: old.key,
      hash: Buffer.from(now.hash, 'hex'),
      base: Buffer.from(old.hash, 'hex'),
      version: '9',
      rehashed: true as const,
    };
    const upgraded = await (await new ReplicaBench({ forms: after }).has([old, B])).open();
    await upgraded.batch([change], { normalForm: 2 });
    assert.deepEqual(upgraded.said(), ['ack 1']);
    assert.deepEqual(await upgraded.store.read(SCOPE, old.key), now.bytes);
    assert.equal(upgraded.store.record(SCOPE).normalForm, 2);
    const older = await (await new ReplicaBench({ forms: before }).has([old, B])).open();
    await older.batch([change], { normalForm: 2 });
    assert.deepEqual(older.said(), [`want ${old.key}`, 'ack 1']);
    await older.batch([{ ...full(now) }], { normalForm: 2 });
    assert.deepEqual(older.said(), ['ack 2']);
    assert.equal(older.store.record(SCOPE).normalForm, 2);
  });
});

describe('A replica whose session ends', () => {
  it('acknowledges nothing afterwards, and begins the next one when what it was writing is written', async () => {
    const bench = await (await new ReplicaBench().has([A])).open();
    const flushed = deferred();
    bench.flush = () => flushed.promise;
    await bench.batch([full(B)]);
    bench.session?.end();
    bench.session?.end();
    assert.equal(bench.replica.state.connected, false);
    bench.state = undefined;
    await bench.open();
    assert.equal(bench.state, undefined, 'it does not know yet what it has');
    flushed.resolve();
    await settle();
    assert.equal((bench.state as { count: number } | undefined)?.count, 2);
    assert.deepEqual(bench.said(), []);
    assert.deepEqual(bench.failures, []);
  });

  it('stops to try a disk that refuses', async () => {
    const bench = await (await new ReplicaBench().has([A])).open();
    bench.flush = () => Promise.reject(new Error('the disk is full'));
    await bench.batch([full(B)]);
    bench.session?.end();
    await settle();
    assert.equal(bench.clock.pendingTimers, 0);
    bench.flush = () => Promise.resolve();
    await bench.open();
    assert.equal(bench.state?.count, 1);
  });

  it('does not care what the one before still hears', async () => {
    const bench = await new ReplicaBench().open();
    const before = bench.session;
    await bench.open();
    before?.onDelta({ scope: 7, sequence: 1, body: encodeHubMessage({ batch: { changes: [full(A)] } }) });
    await settle();
    assert.deepEqual(bench.keys, []);
    assert.equal(bench.replica.state.connected, true);
    await bench.batch([full(B)]);
    assert.deepEqual(bench.said(), ['ack 1']);
  });

  it('fails when it cannot send', async () => {
    const bench = new ReplicaBench();
    const error = new Error('the connection is over');
    const failures: Error[] = [];
    bench.replica.open({
      scopeId: 7,
      send: () => Promise.reject(error),
      onFailed: (failure) => failures.push(failure),
    });
    await settle();
    assert.deepEqual(failures, [error]);
    assert.equal(bench.replica.state.connected, false);
  });

  it('has after a power cut what it had acknowledged', async () => {
    const disk = new MemoryDisk();
    const bench = await new ReplicaBench({}, disk).open();
    await bench.batch([full(A)]);
    bench.flush = () => new Promise(() => {});
    await bench.batch([full(B)]);
    assert.deepEqual(bench.said(), ['ack 1']);
    bench.store.cut();
    const after = await new ReplicaBench({}, disk).open();
    assert.equal(after.state?.count, 1);
    assert.deepEqual([...after.state.stamp], [10]);
  });
});

describe('A replica whose hub is hostile', () => {
  const over = { key: C.key, hash: Buffer.from(C.hash, 'hex'), version: '1' };
  /** What a hub may not say, and what the session ends with. */
  const bad: readonly [string, string, OutgoingHubMessage][] = [
    ['a key that is none', 'ERR_SYNC_BAD_KEY', batchOf([{ ...full(C), key: 'nonsense' }])],
    [
      'a key that leads elsewhere',
      'ERR_SYNC_BAD_KEY',
      batchOf([{ ...full(C), key: 'a/b/../../etc/passwd' }]),
    ],
    ['a key that is too long', 'ERR_SYNC_BAD_KEY', batchOf([{ ...full(C), key: `a/b/${'c'.repeat(1100)}` }])],
    ['a key twice', 'ERR_SYNC_BAD_MESSAGE', batchOf([full(C), removed(C)])],
    [
      'a content that is not its hash',
      'ERR_SYNC_WRONG_HASH',
      batchOf([{ ...full(C), hash: Buffer.alloc(16) }]),
    ],
    ['a hash that is none', 'ERR_SYNC_BAD_HASH', batchOf([{ ...full(C), hash: Buffer.alloc(3) }])],
    ['a content that cannot be unpacked', 'ERR_SYNC_BAD_PACK', batchOf([{ ...over, full: Buffer.of(9, 9) }])],
    [
      'a content without bounds',
      'ERR_SYNC_TOO_LARGE',
      batchOf([{ ...over, full: packRaw(new Uint8Array(16 * 1024 * 1024 + 1)) }]),
    ],
    ['a question about buckets that there are not', 'ERR_SYNC_BAD_MESSAGE', { askInventory: { buckets: 3 } }],
    ['a confirmation of nothing', 'ERR_SYNC_BAD_MESSAGE', { confirmRemovals: { id: 1 } }],
  ];
  for (const [what, code, message] of bad) {
    it(`ends the session: ${what}`, async () => {
      const bench = await (await new ReplicaBench().has([A, B])).open();
      await bench.say(message);
      assert.deepEqual(
        bench.failures.map((error) => (error as Error & { code: string }).code),
        [code],
      );
      assert.deepEqual(bench.keys, [A.key, B.key]);
      assert.equal(bench.writes, 0);
      assert.deepEqual(bench.said(), []);
      assert.equal(bench.replica.state.connected, false);
    });
  }

  it('ends the session: a sequence that jumps, repeats, or is of another scope', async () => {
    const body = encodeHubMessage({ inSync: {} });
    for (const frame of [
      { scope: 7, sequence: 2, body },
      { scope: 7, sequence: 0, body },
      { scope: 8, sequence: 1, body },
    ]) {
      const bench = await new ReplicaBench().open();
      assert.throws(() => bench.session?.onDelta(frame), { code: 'ERR_SYNC_BAD_SEQUENCE' });
    }
    const bench = await new ReplicaBench().open();
    await bench.say({ inSync: {} });
    assert.throws(() => bench.session?.onDelta({ scope: 7, sequence: 1, body }), {
      code: 'ERR_SYNC_BAD_SEQUENCE',
    });
  });

  it('ends the session: changes before it has subscribed', async () => {
    const bench = await new ReplicaBench().has([A]);
    bench.flush = () => new Promise(() => {});
    await bench.open();
    await bench.batch([full(B)]);
    await bench.open(); // waits for what is being written
    assert.throws(() => bench.session?.onDelta({ scope: 7, sequence: 1, body: new Uint8Array(0) }), {
      code: 'ERR_SYNC_BAD_SEQUENCE',
    });
  });

  it('ends the session: noise', async () => {
    const bench = await new ReplicaBench().open();
    assert.throws(() => bench.session?.onDelta({ scope: 7, sequence: 1, body: Buffer.from('ffff', 'hex') }), {
      code: 'ERR_SYNC_BAD_MESSAGE',
    });
  });

  it('ends the session: more than the window', async () => {
    const bench = await new ReplicaBench().open();
    bench.flush = () => new Promise(() => {});
    for (let n = 0; n < 4; n += 1) await bench.batch([full(sampleContent(`pods/x/p${n}`, 'x'))]);
    await assert.rejects(() => bench.batch([full(A)]), { code: 'ERR_SYNC_LIMIT' });
    const two = await new ReplicaBench().open();
    two.flush = () => new Promise(() => {});
    const big = sampleContent('pods/x/big', 'x'.repeat(600 * 1024));
    await two.batch([{ ...full(big), full: packRaw(big.bytes) }]);
    await assert.rejects(() => two.batch([{ ...full(big), full: packRaw(big.bytes) }]), {
      code: 'ERR_SYNC_LIMIT',
    });
  });

  it('ends the session: messages without end while the disk stalls', async () => {
    const bench = await new ReplicaBench().open();
    bench.flush = () => new Promise(() => {});
    await bench.batch([full(A)]);
    const flood = async (): Promise<void> => {
      for (let n = 0; n < 100; n += 1) await bench.say({ inSync: {} });
    };
    await assert.rejects(flood, { code: 'ERR_SYNC_LIMIT' });
  });

  it('ends the session: questions without end, or after a batch', async () => {
    const bench = await (await new ReplicaBench().has([A])).open();
    for (let n = 0; n < 5; n += 1) await bench.say({ askInventory: { buckets: 1 } });
    assert.equal(bench.said().length, 4);
    assert.equal(bench.failures.length, 1);
    const later = await new ReplicaBench().open();
    await later.batch([full(A)]);
    await later.say({ askInventory: { buckets: 1 } });
    assert.equal(later.failures.length, 1);
  });

  it('takes a message of a later release for none', async () => {
    const bench = await new ReplicaBench().open();
    bench.session?.onDelta({ scope: 7, sequence: 1, body: Buffer.from('7a00', 'hex') });
    await settle();
    assert.deepEqual(bench.failures, []);
  });
});

function batchOf(changes: NonNullable<Extract<OutgoingHubMessage, { batch: unknown }>['batch']['changes']>) {
  return { batch: { changes, normalForm: 1, inSync: true } };
}

/** Normal forms of a release, and of the one after it. */
function releases(): readonly [NormalForms, NormalForms] {
  const { current } = NORMAL_FORMS;
  return [
    { current },
    { current: { ...current, version: 2, withoutAnnotations: ['dropped'] }, previous: current },
  ];
}
