import assert from 'node:assert/strict';
import {
  DigestTree,
  PoolStore,
  signState,
  type Content,
  type PoolCommit,
  type ReplicaChange,
  type StateSubject,
} from '../../src/index.ts';
import { describeReplicaStore } from '../../testing/index.ts';
import { throwsCode } from '../rejections.ts';
import { checkOf, FORGER, HUB, OF, poolStore, SCOPE, service } from './signed-view.ts';

const NOTHING_SIGNED = new Uint8Array(16).fill(255);

describeReplicaStore('in memory, of a pool', {
  open: () => Promise.resolve(new PoolStore({ check: () => ({ version: '1', digest: NOTHING_SIGNED }) })),
  clean: () => Promise.resolve(),
});

const A = service('a', 'one', 11);
const A2 = service('a', 'two', 21);
const B = service('b', 'one', 12);
const C = service('c', 'one', 13);

const put = (content: Content): ReplicaChange => ({ put: content });
const remove = ({ key }: Content): ReplicaChange => ({ remove: key });

/** A stamp of the state with just these contents. */
function stampOf(version: number | string, contents: readonly Content[], of = OF, by = HUB): Uint8Array {
  const digest = DigestTree.of(contents.map(({ key, hash }) => [key, hash])).digest();
  return signState({ version: String(version), digest }, of, by.privateKey);
}

const record = (stamp: Uint8Array, normalForm = 1) => ({ normalForm, stamp });

/** Readable: `12: put services/default/a 11, gone services/default/b`. */
function told(commits: readonly PoolCommit[]): string[] {
  return commits.map(({ version, changes }) => {
    const said = changes.map(({ key, content, previous }) =>
      content === undefined ? `gone ${key}` : `${previous ? 'changed' : 'new'} ${key} ${content.version}`,
    );
    return `${version}: ${said.join(', ')}`;
  });
}

function open(store = poolStore()) {
  const view = store.view(SCOPE);
  const commits: PoolCommit[] = [];
  view.listen((commit) => commits.push(commit));
  const shown = (): string[] => [...view.contents()].map(({ key, hash }) => `${key} ${hash}`).sort();
  return { store, view, commits, shown };
}

const shownOf = (...contents: Content[]): string[] =>
  contents.map(({ key, hash }) => `${key} ${hash}`).sort();

describe('A store of a pool', () => {
  it('shows nothing before a signed state says that it is right, and all of it then, at once', async () => {
    const { store, view, commits, shown } = open();
    const stamp = stampOf(20, [A, B, C]);
    await store.apply(SCOPE, [put(A)], record(stamp));
    await store.apply(SCOPE, [put(C)]);
    assert.deepEqual([view.ready, view.version, view.size, view.stamp.length], [false, '', 0, 0]);
    assert.equal(view.get(A.key), undefined);
    assert.equal(store.entries(SCOPE).size, 2, 'who follows goes on from what is staged');
    assert.equal((await store.read(SCOPE, A.key))?.length, 3);
    await store.apply(SCOPE, [put(B)]);
    assert.deepEqual([view.ready, view.version, view.size], [true, '20', 3]);
    assert.deepEqual(view.stamp, stamp);
    assert.deepEqual(shown(), shownOf(A, B, C));
    assert.deepEqual(told(commits), [
      '20: new services/default/a 11, new services/default/b 12, new services/default/c 13',
    ]);
    assert.equal(store.bytes(SCOPE), 9);
    assert.equal(store.normalForm(SCOPE), 1);
  });

  it('tells changes in order of their versions, and what is gone last', async () => {
    const { store, commits } = open();
    await store.apply(SCOPE, [put(C), put(A), put(B)], record(stampOf(20, [A, B, C])));
    const [a9, b100] = [service('a', 'x', 29), service('d', 'x', 100)];
    await store.apply(SCOPE, [remove(C), put(b100), put(a9), remove(B)], record(stampOf(101, [a9, b100])));
    assert.deepEqual(told(commits).slice(1), [
      '101: changed services/default/a 29, new services/default/d 100, gone services/default/b, gone services/default/c',
    ]);
    const [last] = commits.slice(-1);
    assert.equal(last?.changes[0]?.previous?.hash, A.hash);
    assert.equal(last.changes[3]?.previous?.hash, C.hash);
    assert.equal(last.scope, SCOPE);
  });

  it('has the new state when it tells of it', async () => {
    const { store, view } = open();
    const seen: unknown[] = [];
    const stop = view.listen(({ changes }) =>
      seen.push([view.version, view.get(A.key)?.hash, changes.length]),
    );
    await store.apply(SCOPE, [put(A)], record(stampOf(20, [A])));
    await store.apply(SCOPE, [put(A2)], record(stampOf(30, [A2])));
    stop();
    await store.apply(SCOPE, [remove(A)], record(stampOf(40, [])));
    assert.deepEqual(seen, [
      ['20', A.hash, 1],
      ['30', A2.hash, 1],
    ]);
  });

  it('commits a newer version of what it has, and the empty state', async () => {
    const { store, view, commits } = open();
    await store.apply(SCOPE, [], record(stampOf(1, [])));
    assert.deepEqual([view.ready, view.version, view.size], [true, '1', 0]);
    await store.apply(SCOPE, [], record(stampOf(2, [])));
    await store.apply(SCOPE, [], record(stampOf(2, [])));
    assert.deepEqual(told(commits), ['1: ', '2: ']);
  });

  it('tells nothing of what came and went between two states', async () => {
    const { store, commits } = open();
    await store.apply(SCOPE, [put(A), put(B)], record(stampOf(20, [A, B])));
    const stamp = stampOf(30, [A, B, C]);
    await store.apply(SCOPE, [put(A2), remove(B)], record(stamp));
    await store.apply(SCOPE, [put(A), put(B), put(service('d', 'x', 22))]);
    await store.apply(SCOPE, [{ remove: 'services/default/d' }, put(service('c', 'one', 25))]);
    assert.deepEqual(told(commits).slice(1), ['30: new services/default/c 25']);
  });

  it('keeps scopes apart, and answers the same view always', async () => {
    const store = new PoolStore({
      check: (scope, stamp) => checkOf({ ...OF, subject: scope })(scope, stamp),
    });
    const [one, other] = ['pool/berlin/services', 'pool/berlin/endpoints'];
    const of = (subject: string): StateSubject => ({ ...OF, subject });
    await store.apply(one, [put(A)], record(stampOf(20, [A], of(one))));
    assert.equal(store.view(other).ready, false);
    await assert.rejects(store.apply(other, [put(A)], record(stampOf(20, [A], of(one)))), {
      code: 'ERR_SYNC_FORGED',
    });
    assert.equal(store.entries(other).size, 0);
    assert.equal(store.view(one), store.view(one));
    store.forget(other);
    assert.equal(store.view(one).size, 1);
  });

  it('keeps no more of what came than content and stamp themselves', async () => {
    const { store, view } = open();
    const frame = Buffer.alloc(100_000);
    const at = frame.subarray(50, 53);
    at.set(A.bytes);
    const stamp = stampOf(20, [A]);
    const stampAt = frame.subarray(1000, 1000 + stamp.length);
    stampAt.set(stamp);
    await store.apply(SCOPE, [put({ ...A, bytes: at })], record(stampAt));
    frame.fill(0);
    assert.deepEqual(view.stamp, stamp);
    assert.equal(view.stamp.buffer.byteLength, stamp.length);
    assert.equal(Buffer.from(view.get(A.key)?.bytes ?? []).toString(), 'one');
    assert.equal(view.get(A.key)?.bytes.buffer.byteLength, 3);
  });

  describe('of what somebody has altered', () => {
    it('refuses a stamp that the hub has not signed, with all that came with it', async () => {
      const { store, view } = open();
      await store.apply(SCOPE, [put(A)], record(stampOf(20, [A])));
      const forged: readonly [string, Uint8Array][] = [
        ['another key', stampOf(30, [A2], OF, FORGER)],
        ['another resource', stampOf(30, [A2], { ...OF, subject: 'endpoints' })],
        ['another life', stampOf(30, [A2], { ...OF, incarnation: 'second' })],
        ['another cluster', stampOf(30, [A2], { ...OF, clusterUid: 'cluster-2' })],
        ['a bit', stampOf(30, [A2]).map((byte, at) => (at === 50 ? byte ^ 1 : byte))],
        ['the version', Uint8Array.from([...stampOf(30, [A2]).slice(0, -1), 0x31])],
        ['no stamp at all', Uint8Array.of(1, 2, 3)],
      ];
      for (const [what, stamp] of forged) {
        throwsCode(() => store.checks(SCOPE).stamp(stamp), 'ERR_SYNC_FORGED');
        await assert.rejects(store.apply(SCOPE, [put(A2)], record(stamp)), { code: 'ERR_SYNC_FORGED' }, what);
        assert.equal(store.entries(SCOPE).get(A.key)?.hash, A.hash, what);
        assert.deepEqual(store.record(SCOPE).stamp, view.stamp, what);
      }
      assert.deepEqual([view.version, view.size], ['20', 1]);
    });

    it('never commits contents that no signed state has, and says so when it is to be in sync', async () => {
      const altered: readonly [string, ReplicaChange[]][] = [
        ['another content', [put(service('a', 'evil', 11)), put(B)]],
        ['one too many', [put(A), put(B), put(C)]],
        ['one too few', [put(A)]],
        ['under another name', [put(A), put({ ...B, key: C.key })]],
      ];
      for (const [what, changes] of altered) {
        const { store, view } = open();
        await store.apply(SCOPE, changes, record(stampOf(20, [A, B])));
        assert.equal(view.ready, false, what);
        throwsCode(() => store.checks(SCOPE).synced(), 'ERR_SYNC_FORGED');
      }
    });

    it('is not in sync without a stamp, nor with that of what was there before', async () => {
      const { store } = open();
      await store.apply(SCOPE, [put(A)]);
      throwsCode(() => store.checks(SCOPE).synced(), 'ERR_SYNC_FORGED');
      await store.apply(SCOPE, [], record(stampOf(20, [A])));
      store.checks(SCOPE).synced();
      await store.apply(SCOPE, [put(A2)]);
      throwsCode(() => store.checks(SCOPE).synced(), 'ERR_SYNC_FORGED');
      await store.apply(SCOPE, [put(A)]);
      store.checks(SCOPE).synced();
      await store.apply(SCOPE, [], record(stampOf(30, [A2])));
      throwsCode(() => store.checks(SCOPE).synced(), 'ERR_SYNC_FORGED');
    });

    it('gives it up, and is as it was', async () => {
      const { store, view, commits, shown } = open();
      const stamp = stampOf(20, [A, B]);
      await store.apply(SCOPE, [put(A), put(B)], record(stamp));
      await store.apply(
        SCOPE,
        [put(service('a', 'evil', 1)), remove(B), put(C)],
        record(stampOf(30, [A2]), 2),
      );
      store.discard(SCOPE);
      assert.deepEqual([...store.entries(SCOPE)].map(([key, { hash }]) => [key, hash]).sort(), [
        [A.key, A.hash],
        [B.key, B.hash],
      ]);
      assert.deepEqual(store.record(SCOPE), { normalForm: 1, stamp });
      assert.deepEqual(shown(), shownOf(A, B));
      assert.equal(commits.length, 1);
      store.checks(SCOPE).synced();
      await store.apply(SCOPE, [put(A2)], record(stampOf(31, [A2, B])));
      assert.equal(view.version, '31', 'and goes on from there');
      store.discard(SCOPE);
      assert.deepEqual(shown(), shownOf(A2, B));
    });

    it('gives up the first state before it is one', async () => {
      const { store, view } = open();
      await store.apply(SCOPE, [put(A)], record(stampOf(20, [A, B])));
      store.discard(SCOPE);
      assert.equal(store.entries(SCOPE).size, 0);
      assert.deepEqual(store.record(SCOPE), { normalForm: 0, stamp: new Uint8Array(0) });
      await store.apply(SCOPE, [put(B), put(A)], record(stampOf(20, [A, B])));
      assert.equal(view.size, 2);
    });

    it('believes no version that lies outside of the two states', async () => {
      const { store, view, commits } = open();
      await store.apply(SCOPE, [put({ ...A, version: '999' }), put(B)], record(stampOf(20, [A, B])));
      assert.equal(view.get(A.key)?.version, '20', 'ahead of what the hub has seen');
      const changes = ['3', 'x', '', '0021', '1e9'].map((version, n) => service(`n${n}`, 'text', version));
      const honest = service('ok', 'text', '25');
      const all = [...changes, honest];
      await store.apply(SCOPE, all.map(put), record(stampOf(30, [A, B, ...all])));
      for (const { key } of changes) assert.equal(view.get(key)?.version, '30', key);
      assert.equal(view.get(honest.key)?.version, '25');
      assert.equal(commits[1]?.changes[0]?.key, honest.key);
      assert.equal(
        store.entries(SCOPE).get(changes[0]?.key ?? '')?.version,
        '30',
        'who follows has the same',
      );
    });
  });

  describe('of what is old', () => {
    it('refuses a state that is older than the one it has, whatever it was staged with', async () => {
      const { store, view } = open();
      const old = stampOf(9, [A]);
      await store.apply(SCOPE, [put(A)], record(old));
      await store.apply(SCOPE, [put(A2)], record(stampOf(10, [A2])));
      throwsCode(() => store.checks(SCOPE).stamp(old), 'ERR_SYNC_OLD_STATE');
      await assert.rejects(store.apply(SCOPE, [put(A)], record(old)), { code: 'ERR_SYNC_OLD_STATE' });
      assert.deepEqual([view.version, view.get(A.key)?.hash], ['10', A2.hash]);
    });

    it('takes an older word for the same, from a leader that was told of no change since, and keeps the newer', async () => {
      const { store, view, commits } = open();
      const newer = stampOf(12, [A]);
      await store.apply(SCOPE, [put(A)], record(newer));
      const checks = store.checks(SCOPE);
      checks.stamp(stampOf(9, [A]));
      await store.apply(SCOPE, [], record(stampOf(9, [A])));
      checks.synced();
      assert.equal(view.version, '12');
      assert.deepEqual(view.stamp, newer);
      assert.equal(commits.length, 1);
      await store.apply(SCOPE, [put(B)], record(stampOf(9, [A])));
      assert.throws(() => checks.synced(), { code: 'ERR_SYNC_FORGED' });
    });

    it('takes another state of the same version, and that which it has', async () => {
      const { store, view } = open();
      await store.apply(SCOPE, [put(A)], record(stampOf(10, [A])));
      await store.apply(SCOPE, [put(B)], record(stampOf(10, [A, B])));
      assert.equal(view.size, 2);
      store.checks(SCOPE).stamp(stampOf(10, [A, B]));
    });

    it('compares versions within one life of the cluster', async () => {
      let of = OF;
      const { store, view } = open(new PoolStore({ check: (scope, stamp) => checkOf(of)(scope, stamp) }));
      await store.apply(SCOPE, [put(A), put(B)], record(stampOf(1000, [A, B])));
      of = { ...OF, incarnation: 'second' };
      await assert.rejects(store.apply(SCOPE, [], record(stampOf(1001, [A, B]))), {
        code: 'ERR_SYNC_FORGED',
      });
      await store.apply(SCOPE, [put(A2)], record(stampOf(500, [A2, B], of)));
      assert.deepEqual([view.version, view.get(A.key)?.version], ['500', '21']);
    });
  });

  describe('that is bounded', () => {
    const limits = { objects: 3, bytes: 100 };
    const big = (name: string, bytes: number): Content => service(name, 'x'.repeat(bytes), 1);

    it('takes no more bytes than it may, over all scopes, and goes on with less', async () => {
      const store = poolStore({ limits });
      await store.apply(SCOPE, [put(big('a', 60))]);
      const more = store.apply('pool/berlin/endpoints', [put(big('b', 41))]);
      await assert.rejects(more, { code: 'ERR_SYNC_LIMIT' });
      await store.apply(SCOPE, [put(big('b', 40))]);
      await store.apply(SCOPE, [{ remove: 'services/default/a' }, put(big('b', 90)), put(big('c', 10))]);
      assert.equal(store.entries(SCOPE).size, 2);
      store.forget(SCOPE);
      await store.apply('pool/berlin/endpoints', [put(big('b', 100))]);
    });

    it('gives up what is staged where more comes, so that nobody fills it for those that follow', async () => {
      const { store, view } = open(poolStore({ limits }));
      await store.apply(SCOPE, [put(A)], record(stampOf(20, [A])));
      await store.apply(SCOPE, [put(big('junk', 90))]);
      const [b50, c40] = [big('b', 50), big('c', 40)];
      await assert.rejects(store.apply(SCOPE, [put(b50), put(c40)]), { code: 'ERR_SYNC_LIMIT' });
      assert.deepEqual([...store.entries(SCOPE).keys()], [A.key]);
      assert.equal(view.version, '20');
      await store.apply(SCOPE, [put(b50), put(c40)], record(stampOf(30, [A, b50, c40])));
      assert.equal(view.size, 3);
    });

    it('takes no more objects of a scope than it may', async () => {
      const store = poolStore({ limits });
      const four = ['a', 'b', 'c', 'd'].map((name) => put(big(name, 1)));
      await assert.rejects(store.apply(SCOPE, four), { code: 'ERR_SYNC_LIMIT' });
      assert.equal(store.entries(SCOPE).size, 0, 'nothing of it');
      await store.apply(SCOPE, [...four.slice(0, 3), { remove: 'services/default/a' }, ...four.slice(3)]);
      await store.apply(SCOPE, [put(big('d', 2))]);
      await assert.rejects(store.apply(SCOPE, [put(big('e', 1))]), { code: 'ERR_SYNC_LIMIT' });
    });
  });

  it('forgets a scope, whose view goes on with what comes then', async () => {
    const { store, view, commits } = open();
    await store.apply(SCOPE, [put(A), put(B)], record(stampOf(20, [A, B])));
    await store.apply(SCOPE, [put(C)]);
    store.forget(SCOPE);
    assert.deepEqual([view.ready, view.version, view.size, view.stamp.length], [false, '', 0, 0]);
    assert.deepEqual([store.entries(SCOPE).size, store.bytes(SCOPE), store.normalForm(SCOPE)], [0, 0, 0]);
    assert.equal(store.snapshot(SCOPE), undefined);
    await store.apply(SCOPE, [put(A)], record(stampOf(15, [A])));
    assert.deepEqual(told(commits).slice(1), ['15: new services/default/a 11'], 'an older version too');
  });

  it('commits each of many changes of a large scope', async () => {
    const { store, view, commits } = open();
    const slices = Array.from({ length: 1000 }, (_, n) => service(`s${n}`, `text ${n}`, 1));
    await store.apply(SCOPE, slices.map(put), record(stampOf(1, slices)));
    const tree = DigestTree.of(slices.map(({ key, hash }) => [key, hash]));
    for (let version = 2; version < 102; version += 1) {
      const name = `s${(version * 37) % 1000}`;
      const isGone = version % 5 === 0;
      const content = service(name, `again ${version}`, version);
      if (isGone) tree.delete(content.key);
      else tree.set(content.key, content.hash);
      const stamp = signState({ version: String(version), digest: tree.digest() }, OF, HUB.privateKey);
      await store.apply(SCOPE, [isGone ? remove(content) : put(content)], record(stamp));
      assert.equal(view.version, String(version));
    }
    assert.equal(commits.length, 101);
    assert.deepEqual(
      DigestTree.of([...view.contents()].map(({ key, hash }) => [key, hash])).digest(),
      tree.digest(),
    );
  });
});
