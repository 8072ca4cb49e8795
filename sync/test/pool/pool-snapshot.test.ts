import assert from 'node:assert/strict';
import { randomBelow, seededRandom } from '@hawser/seams';
import { DigestTree, signState, type Content, type PoolCommit, type PoolStore } from '../../src/index.ts';
import { writeSnapshot } from '../../src/pool/pool-snapshot.ts';
import { sampleContent } from '../../testing/index.ts';
import { throwsCode } from '../rejections.ts';
import { checkOf, hex, HUB, OF, poolStore, SCOPE, service } from './signed-view.ts';

const CONTENTS = [service('a', 'one', 11), service('b', '', 12), service('ü', 'Grüße, 世界', 13)];

function stampOf(version: number, contents: readonly Content[]): Uint8Array {
  const digest = DigestTree.of(contents.map(({ key, hash }) => [key, hash])).digest();
  return signState({ version: String(version), digest }, OF, HUB.privateKey);
}

const STAMP = stampOf(20, CONTENTS);

async function filled(contents: readonly Content[] = CONTENTS, stamp = STAMP): Promise<PoolStore> {
  const store = poolStore();
  await store.apply(
    SCOPE,
    contents.map((put) => ({ put })),
    { normalForm: 1, stamp },
  );
  return store;
}

/** All that a store shows of the scope. */
function shown(store: PoolStore): unknown {
  const view = store.view(SCOPE);
  const contents = [...view.contents()].map(({ key, hash, version, bytes }) => [
    key,
    hash,
    version,
    hex(bytes),
  ]);
  return [view.version, hex(view.stamp), store.normalForm(SCOPE), contents.sort()];
}

/** What the first release wrote of {@link CONTENTS}. */
const GOLDEN =
  'AbEJl/qzTlexR54u61qWD5ljDGZskY/q04qslKip+3ZVrl7Fdyb37R0fKt/kheXV//Oo9P/82aRgzhnhThc97esaBx+F1FSZHcl9eyh550Nzxv4TnR6f+RLc5z19XLz2k4SB4stzbSxGBkxGBsxCxalFZZnJqcX6KalpiaU5JfqJTIaGzPl5qZgySUyGRgzCGBoO72EyNOZ3Lzq85/D8VB2FJzumPZ/aAwA=';

describe('A snapshot of a pool’s scope', () => {
  it('brings back what was committed, told as a commit', async () => {
    const store = await filled();
    await store.apply(SCOPE, [{ put: service('staged', 'only', 21) }]);
    const snapshot = store.snapshot(SCOPE);
    assert.ok(snapshot);
    const again = poolStore();
    const commits: PoolCommit[] = [];
    again.view(SCOPE).listen((commit) => commits.push(commit));
    again.restore(SCOPE, snapshot);
    store.discard(SCOPE);
    assert.deepEqual(shown(again), shown(store));
    assert.equal(commits.length, 1);
    assert.deepEqual(
      commits[0]?.changes.map(({ key }) => key),
      CONTENTS.map(({ key }) => key),
    );
    assert.equal(again.entries(SCOPE).size, 3);
    assert.deepEqual(again.record(SCOPE), { normalForm: 1, stamp: STAMP });
    again.checks(SCOPE).synced();
  });

  it('is read as the first release wrote it', () => {
    const store = poolStore();
    store.restore(SCOPE, Buffer.from(GOLDEN, 'base64'));
    assert.equal(store.view(SCOPE).version, '20');
    assert.deepEqual(
      [...store.view(SCOPE).contents()].map(({ key }) => key),
      CONTENTS.map(({ key }) => key),
    );
  });

  it('is none where nothing was committed, and one of a scope that is empty', async () => {
    const store = poolStore();
    assert.equal(store.snapshot(SCOPE), undefined);
    await store.apply(SCOPE, [{ put: service('a', 'staged', 1) }]);
    assert.equal(store.snapshot(SCOPE), undefined);
    const empty = await filled([], stampOf(5, []));
    store.restore(SCOPE, empty.snapshot(SCOPE) ?? new Uint8Array(0));
    assert.deepEqual(
      [store.view(SCOPE).ready, store.view(SCOPE).size, store.entries(SCOPE).size],
      [true, 0, 0],
    );
  });

  it('takes the place of all that was there', async () => {
    const old = [service('a', 'zero', 1), service('gone', 'x', 2)];
    const store = await filled(old, stampOf(9, old));
    await store.apply(SCOPE, [{ put: service('staged', 'x', 3) }]);
    const commits: PoolCommit[] = [];
    store.view(SCOPE).listen((commit) => commits.push(commit));
    store.restore(SCOPE, (await filled()).snapshot(SCOPE) ?? new Uint8Array(0));
    assert.deepEqual(shown(store), shown(await filled()));
    assert.deepEqual(
      commits[0]?.changes.map(({ key, content }) => `${key} ${content?.version}`),
      [...CONTENTS.map(({ key, version }) => `${key} ${version}`), 'services/default/gone undefined'],
    );
  });

  it('of a large scope is packed aside, as it was when it was asked for', async () => {
    for (const text of ['small', 'large '.repeat(30_000)]) {
      const many = Array.from({ length: 10 }, (_, n) => service(`s${n}`, `${n} ${text}`, n + 1));
      const store = await filled(many, stampOf(20, many));
      const expected = store.snapshot(SCOPE);
      const aside = store.snapshotAside(SCOPE);
      const fewer = many.slice(1);
      await store.apply(SCOPE, [{ remove: 'services/default/s0' }], {
        normalForm: 1,
        stamp: stampOf(30, fewer),
      });
      assert.equal(store.view(SCOPE).size, 9);
      assert.equal(hex((await aside) ?? new Uint8Array(0)), hex(expected ?? new Uint8Array(0)));
    }
    assert.equal(await poolStore().snapshotAside(SCOPE), undefined);
  });

  it('that was cut off or damaged anywhere restores nothing', async () => {
    const source = await filled();
    const snapshot = source.snapshot(SCOPE) ?? new Uint8Array(0);
    const other = [service('x', 'before', 3)];
    const store = await filled(other, stampOf(4, other));
    const before = shown(store);
    for (let length = 0; length < snapshot.length; length += 1)
      throwsCode(() => store.restore(SCOPE, snapshot.subarray(0, length)), 'ERR_SYNC_BAD_PACK');
    throwsCode(() => store.restore(SCOPE, Buffer.concat([snapshot, Uint8Array.of(0)])), 'ERR_SYNC_BAD_PACK');
    for (let at = 0; at < snapshot.length; at += 1) {
      const damaged = Uint8Array.from(snapshot);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      throwsCode(() => store.restore(SCOPE, damaged), 'ERR_SYNC_BAD_PACK');
    }
    const random = seededRandom(3);
    for (let n = 0; n < 200; n += 1) {
      const bytes = Uint8Array.from({ length: randomBelow(random, 80) }, () => randomBelow(random, 256));
      throwsCode(() => store.restore(SCOPE, bytes), 'ERR_SYNC_BAD_PACK');
    }
    assert.deepEqual(shown(store), before);
    assert.equal(store.entries(SCOPE).size, 1);
  });

  it('that somebody has written restores nothing that the hub has not signed', () => {
    const store = poolStore();
    const [a, b, c] = CONTENTS;
    assert.ok(a && b && c);
    const forged: readonly [string, Uint8Array, Content[]][] = [
      ['another content', STAMP, [service('a', 'evil', 11), b, c]],
      ['one too few', STAMP, [a, b]],
      ['one too many', STAMP, [...CONTENTS, service('d', 'x', 1)]],
      ['another state’s stamp', stampOf(20, [a]), CONTENTS],
      ['no stamp', new Uint8Array(0), CONTENTS],
      ['a stamp of another version', Uint8Array.from([...STAMP.slice(0, -1), 0x39]), CONTENTS],
    ];
    for (const [what, stamp, contents] of forged) {
      const snapshot = writeSnapshot({ stamp, normalForm: 1, changed: '20', contents });
      const message = throwsCode(() => store.restore(SCOPE, snapshot), 'ERR_SYNC_FORGED');
      assert.match(message, /services/, what);
    }
    const twice = writeSnapshot({ stamp: STAMP, normalForm: 1, changed: '20', contents: [a, a, b, c] });
    throwsCode(() => store.restore(SCOPE, twice), 'ERR_SYNC_BAD_PACK');
    const keyless = writeSnapshot({
      stamp: STAMP,
      normalForm: 1,
      changed: '20',
      contents: [sampleContent('x', 'x')],
    });
    throwsCode(() => store.restore(SCOPE, keyless), 'ERR_SYNC_BAD_KEY');
    assert.equal(store.view(SCOPE).ready, false);
    assert.equal(store.entries(SCOPE).size, 0);
  });

  it('remembers since when nothing has changed, as far as that can be', async () => {
    const store = await filled();
    assert.equal(store.view(SCOPE).changed, '20');
    await store.apply(SCOPE, [], { normalForm: 1, stamp: stampOf(40, CONTENTS) });
    assert.deepEqual([store.view(SCOPE).version, store.view(SCOPE).changed], ['40', '20']);
    const again = poolStore();
    again.restore(SCOPE, store.snapshot(SCOPE) ?? new Uint8Array(0));
    assert.deepEqual([again.view(SCOPE).version, again.view(SCOPE).changed], ['40', '20']);
    await again.apply(SCOPE, [{ put: service('a', 'two', 45) }], { normalForm: 1, stamp: new Uint8Array(0) });
    assert.equal(again.view(SCOPE).changed, '20', 'what is staged is none');
    for (const changed of ['', '21', 'x', '020']) {
      const odd = poolStore();
      odd.restore(SCOPE, writeSnapshot({ stamp: STAMP, normalForm: 1, changed, contents: CONTENTS }));
      assert.equal(odd.view(SCOPE).changed, '20', changed);
    }
  });

  it('of another life of the cluster, or another scope, restores nothing', async () => {
    const snapshot = (await filled()).snapshot(SCOPE) ?? new Uint8Array(0);
    for (const of of [
      { ...OF, incarnation: 'second' },
      { ...OF, subject: 'endpoints' },
    ])
      throwsCode(() => poolStore({ check: checkOf(of) }).restore(SCOPE, snapshot), 'ERR_SYNC_FORGED');
  });

  it('that is older than what is there restores nothing', async () => {
    const snapshot = (await filled()).snapshot(SCOPE) ?? new Uint8Array(0);
    const newer = [service('a', 'newer', 25)];
    const store = await filled(newer, stampOf(30, newer));
    throwsCode(() => store.restore(SCOPE, snapshot), 'ERR_SYNC_OLD_STATE');
    assert.equal(store.view(SCOPE).version, '30');
  });

  it('that is larger than there may be restores nothing', async () => {
    const many = Array.from({ length: 100 }, (_, n) => service(`s${n}`, 'x'.repeat(1000), 1));
    const snapshot = (await filled(many, stampOf(2, many))).snapshot(SCOPE) ?? new Uint8Array(0);
    assert.ok(snapshot.length < 5_000, `${snapshot.length} bytes: packed`);
    const bounded = poolStore({ limits: { objects: 200, bytes: 99_999 } });
    throwsCode(() => bounded.restore(SCOPE, snapshot), 'ERR_SYNC_LIMIT');
    const few = poolStore({ limits: { objects: 99, bytes: 1_000_000 } });
    throwsCode(() => few.restore(SCOPE, snapshot), 'ERR_SYNC_LIMIT');
    const tiny = poolStore({ limits: { objects: 1, bytes: 1 } });
    throwsCode(() => tiny.restore(SCOPE, snapshot), 'ERR_SYNC_TOO_LARGE');
    for (const { ready } of [bounded.view(SCOPE), few.view(SCOPE), tiny.view(SCOPE)])
      assert.equal(ready, false);
    poolStore({ limits: { objects: 100, bytes: 100_000 } }).restore(SCOPE, snapshot);
  });
});
