import assert from 'node:assert/strict';
import { LabelSelector, type Informer, type KubeObject } from '@hawser/kube';
import { templateHash } from '../../src/api/template-hash.ts';
import { scaledCount } from '../../src/api/workloads.ts';
import { remainderConditions } from '../../src/controllers/namespace.ts';
import { claimOf, type Claim } from '../../src/controllers/owned-objects.ts';
import { OwnWrites } from '../../src/controllers/own-writes.ts';
import { slowStart } from '../../src/controllers/slow-start.ts';
import { pod, replicaSet, T0, type PodOptions } from '../objects.ts';

describe('slow start', () => {
  it('doubles its batches', async () => {
    const batches: number[] = [];
    let running = 0;
    await slowStart(10, async () => {
      running += 1;
      await Promise.resolve();
      if (running > 0) batches.push(running);
      running = 0;
    });
    assert.deepEqual(batches, [1, 2, 4, 3]);
  });

  it('tries no further batch after a failure, and lets the present one end', async () => {
    const tried: number[] = [];
    const task = (index: number): Promise<void> => {
      tried.push(index);
      return index === 1 ? Promise.reject(new Error('quota')) : Promise.resolve();
    };
    await assert.rejects(slowStart(10, task), /quota/);
    assert.deepEqual(tried, [0, 1, 2]);
  });

  it('does nothing for nothing', async () =>
    assert.equal(await slowStart(0, () => Promise.reject(new Error('no'))), 0));
});

describe('claiming', () => {
  const owner = replicaSet('web', 1);
  const ending = { ...owner, metadata: { ...owner.metadata, deletionTimestamp: T0 } };
  const other = replicaSet('other', 1);
  const fits = { labels: { app: 'web' } };
  const cases: readonly (readonly [what: string, owner: KubeObject, pod: PodOptions, expected: Claim])[] = [
    ['its own', owner, { owner, metadata: fits }, 'keep'],
    ['its own, labels changed', owner, { owner, metadata: { labels: { app: 'x' } } }, 'release'],
    ['its own, labels changed, at the end', ending, { owner, metadata: { labels: { app: 'x' } } }, 'ignore'],
    ["another's", owner, { owner: other, metadata: fits }, 'ignore'],
    ["nobody's", owner, { metadata: fits }, 'adopt'],
    ["nobody's, not selected", owner, {}, 'ignore'],
    ["nobody's, at the end", owner, { metadata: { ...fits, deletionTimestamp: T0 } }, 'ignore'],
    ["nobody's, but the owner ends", ending, { metadata: fits }, 'ignore'],
  ];
  for (const [what, by, options, expected] of cases) {
    const selector = LabelSelector.fromObject({ matchLabels: { app: 'web' } });
    it(what, () => assert.equal(claimOf(by, selector, pod('p', options)), expected));
  }
});

describe('own writes', () => {
  it('are seen when the cache has come to their version, and deletions when the object is gone or going', () => {
    const cache = new Map<string, { uid: string; value: KubeObject }>();
    const informer = { lastVersion: '5', lister: { byKey: (key: string) => cache.get(key) } };
    const writes = new OwnWrites(informer as unknown as Informer); // it reads nothing else
    assert.equal(writes.areSeen('k'), true);
    writes.wrote('k', pod('p', { metadata: { resourceVersion: '10' } }));
    writes.wrote('k', pod('q', { metadata: { resourceVersion: '9' } }));
    assert.equal(writes.areSeen('k'), false);
    assert.equal(writes.areSeen('other'), true);
    informer.lastVersion = '10';
    assert.equal(writes.areSeen('k'), true);
    const doomed = pod('p', { metadata: { namespace: 'd' } });
    cache.set('d/p', { uid: 'uid-p', value: doomed });
    writes.deleted('k', doomed);
    assert.equal(writes.areSeen('k'), false);
    cache.set('d/p', { uid: 'uid-p', value: pod('p', { metadata: { deletionTimestamp: T0 } }) });
    assert.equal(writes.areSeen('k'), true);
    writes.deleted('k', doomed);
    cache.set('d/p', { uid: 'another', value: doomed });
    assert.equal(writes.areSeen('k'), true);
  });
});

describe('small parts', () => {
  it('scales counts', () => {
    const cases = [
      [3, 10, 3],
      ['25%', 10, 3],
      ['0%', 10, 0],
      ['101%', 10, 11],
      [undefined, 10, 0],
      ['x', 10, 0],
    ] as const;
    for (const [value, total, expected] of cases) assert.equal(scaledCount(value, total, 'up'), expected);
    assert.equal(scaledCount('25%', 10, 'down'), 2);
  });

  it('names templates by their content alone', () => {
    const hash = templateHash({ a: 1, b: [{ c: 'x', d: undefined }] });
    assert.match(hash, /^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
    assert.equal(templateHash({ b: [{ c: 'x' }], a: 1 }), hash);
    assert.notEqual(templateHash({ b: [{ c: 'y' }], a: 1 }), hash);
    assert.notEqual(templateHash({ b: [{ c: 'x' }], a: 1 }, 1), hash);
  });

  it('says what a namespace waits for', () => {
    const [content, finalizers] = remainderConditions({
      resources: new Map([['pods.', 2]]),
      finalizers: new Map([['x/y', 1]]),
    });
    assert.equal(content?.message, 'Some resources are remaining: pods. has 2 resource instances');
    assert.equal(
      finalizers?.message,
      'Some content in the namespace has finalizers remaining: x/y in 1 resource instances',
    );
    const statuses = remainderConditions({ resources: new Map(), finalizers: new Map() }).map(
      ({ status }) => status,
    );
    assert.deepEqual(statuses, ['False', 'False']);
  });
});
