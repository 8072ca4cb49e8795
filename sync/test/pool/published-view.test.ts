import assert from 'node:assert/strict';
import {
  DigestTree,
  publishedView,
  signState,
  type Content,
  type PoolStore,
  type ScopeView,
} from '../../src/index.ts';
import { hex, HUB, OF, poolStore, SCOPE, service } from './signed-view.ts';

function commit(store: PoolStore, version: number, ...contents: readonly Content[]): Promise<void> {
  const digest = DigestTree.of(contents.map(({ key, hash }) => [key, hash])).digest();
  const stamp = signState({ version: String(version), digest }, OF, HUB.privateKey);
  const wanted = new Set(contents.map(({ key }) => key));
  const gone = [...store.entries(SCOPE).keys()].filter((key) => !wanted.has(key));
  const changes = [...contents.map((put) => ({ put })), ...gone.map((remove) => ({ remove }))];
  return store.apply(SCOPE, changes, { normalForm: 1, stamp });
}

const A = service('a', 'one', 1);
const B = service('b', 'one', 2);

describe('What a leader publishes', () => {
  function open(ready = true) {
    const store = poolStore();
    const state = { ready };
    const view = publishedView(store.view(SCOPE), {
      ready: () => state.ready,
      catchUp: (signal) => (signal.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve()),
    });
    const told: string[] = [];
    /** Digest and stamp at the moment at which something was told. */
    const at: string[] = [];
    const stop = view.listen({
      changed: (key) => {
        told.push(key.slice(-1));
        at.push(`${hex(view.digest())} ${hex(view.stamp())}`);
      },
      ready: () => told.push('ready'),
    });
    return { store, state, view, told, at, stop };
  }

  const now = (view: ScopeView): string => `${hex(view.digest())} ${hex(view.stamp())}`;

  it('is told of within the commit, with the digest and stamp that it has then', () => {
    const { store, view, told, at } = open();
    void commit(store, 5, A, B);
    assert.deepEqual(told, ['a', 'b', 'ready'], 'before anything else runs');
    assert.deepEqual(at, [now(view), now(view)]);
    void commit(store, 6, B);
    assert.deepEqual(told.slice(3), ['a', 'ready']);
    assert.equal(at.at(-1), now(view));
    void store.apply(SCOPE, [{ put: service('c', 'staged', 7) }]);
    assert.equal(told.length, 5, 'what is staged is nobody’s business');
    assert.equal(view.get('services/default/c'), undefined);
  });

  it('is the committed state, with its digest', async () => {
    const { store, view } = open();
    assert.deepEqual([view.ready, view.size, view.digest().length, view.stamp().length], [false, 0, 0, 0]);
    await commit(store, 5, A, B);
    assert.deepEqual([...view.hashes()].sort(), [
      [A.key, A.hash],
      [B.key, B.hash],
    ]);
    assert.equal(hex(view.digest()), hex(DigestTree.of(view.hashes()).digest()));
    assert.equal(view.digest(), view.digest(), 'read once');
    assert.equal(view.get(A.key)?.hash, A.hash);
    assert.deepEqual([view.scope, view.size], [SCOPE, 2]);
    await commit(store, 6, A);
    assert.equal(hex(view.digest()), hex(DigestTree.of([[A.key, A.hash]]).digest()));
  });

  it('is ready when the leader is and something is committed, and says so', async () => {
    const { store, state, view, told, stop } = open(false);
    await commit(store, 5, A);
    assert.deepEqual([view.ready, told], [false, ['a']]);
    view.becameReady();
    assert.equal(told.length, 1, 'it is not');
    state.ready = true;
    view.becameReady();
    assert.deepEqual([view.ready, told], [true, ['a', 'ready']]);
    stop();
    view.becameReady();
    await commit(store, 6, A, B);
    assert.equal(told.length, 2, 'nobody listens any more');
  });

  it('looks again when it is asked to', async () => {
    const { view } = open();
    await view.catchUp(new AbortController().signal);
    const reason = new Error('over');
    await assert.rejects(view.catchUp(AbortSignal.abort(reason)), reason);
  });
});
