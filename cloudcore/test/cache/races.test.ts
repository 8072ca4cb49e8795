import assert from 'node:assert/strict';
import { RESOURCES, StatusError, type ApiCall, type ApiClient, type KubeObject } from '@hawser/kube';
import { deferred, type Deferred } from '@hawser/seams';
import { BoundPods } from '../../src/cache/bound-pods.ts';
import type { NodeScope } from '../../src/cache/node-scope.ts';
import { hold, release, type InterestNode, type ObjectRecord } from '../../src/cache/object-record.ts';
import { ReferencedObjects } from '../../src/cache/referenced-objects.ts';
import type { CompleteList } from '../../src/cache/resource-feed.ts';

const signal = new AbortController().signal;
const events = {
  unreadable: (key: string, error: unknown): void => assert.fail(`${key}: ${String(error)}`),
  replaced: (): void => {},
};

/** Answers calls when the test says so. */
class HeldClient {
  readonly waiting: (Deferred<unknown> & { call: ApiCall })[] = [];

  request(call: ApiCall): Promise<unknown> {
    const answer = { ...deferred<unknown>(), call };
    this.waiting.push(answer);
    return answer.promise;
  }

  /** The oldest call that has no answer. */
  next(): Deferred<unknown> & { call: ApiCall } {
    const call = this.waiting.shift();
    assert.ok(call, 'no call is waiting');
    return call;
  }
}

function object(version: number, value = `v${version}`): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'default', resourceVersion: String(version) },
    data: { value },
  };
}

function notFound(): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code: 404,
    reason: 'NotFound',
  });
}

function listed(version: number, number: number, wentBack = false): CompleteList {
  return { version: String(version), number, wentBack };
}

class TestNode implements InterestNode {
  readonly holds = new Map<ObjectRecord, number>();
  present = 0;
  unanswered = 0;
  edge = true;
  name = 'edge-1';
  touched(): void {}
  settling(): void {}
}

const KEY = 'configmaps/default/a';

/** A table of configMaps whose only object some node names; the first list is over. */
class Site {
  readonly client = new HeldClient();
  readonly feed = { listsBegun: 1 };
  readonly enqueued: string[] = [];
  readonly node = new TestNode();
  readonly table = new ReferencedObjects({
    resource: RESOURCES.configmaps,
    client: this.client as unknown as ApiClient,
    events,
    enqueue: (key) => this.enqueued.push(key),
  });

  constructor() {
    this.table.attach(this.feed);
  }

  want(): ObjectRecord {
    const record = this.table.resolve(KEY);
    hold(this.node, record);
    return record;
  }

  /** Runs what is enqueued, up to the call. */
  fetch(): Promise<void> {
    const key = this.enqueued.shift();
    assert.equal(key, KEY, 'a fetch is enqueued');
    return this.table.fetch(KEY, signal);
  }

  /** As a watch brings it. */
  put(version: number): void {
    const entry = this.table.prepare(object(version));
    if (entry !== undefined) this.table.put(entry);
  }

  replace(list: CompleteList, ...objects: KubeObject[]): void {
    this.table.replace(
      objects.map((one) => this.table.prepare(one)).filter((entry) => entry !== undefined),
      list,
    );
  }

  get version(): string | undefined {
    return this.table.table.get(KEY)?.content?.version;
  }
}

describe('an object that becomes needed', function () {
  it('is fetched, and unanswered until then', async function () {
    const site = new Site();
    site.want();
    assert.equal(site.node.unanswered, 1);
    const fetching = site.fetch();
    site.client.next().resolve(object(7));
    await fetching;
    assert.deepEqual([site.version, site.node.unanswered, site.node.present], ['7', 0, 1]);
  });

  it('is absent when it is not found, until a watch says otherwise', async function () {
    const site = new Site();
    const record = site.want();
    const fetching = site.fetch();
    site.client.next().reject(notFound());
    await fetching;
    assert.deepEqual([record.known, site.version, site.node.unanswered], [true, undefined, 0]);
    site.put(9);
    assert.equal(site.version, '9');
  });

  it('is not fetched where the first list has yet to begin', function () {
    const site = new Site();
    site.feed.listsBegun = 0;
    const record = site.want();
    assert.deepEqual(site.enqueued, []);
    site.feed.listsBegun = 1;
    site.replace(listed(10, 1));
    assert.deepEqual([record.known, site.node.unanswered], [true, 0]);
  });

  it('stays unanswered when the fetch fails', async function () {
    const site = new Site();
    site.want();
    const fetching = site.fetch();
    site.client.next().reject(new Error('no route'));
    await assert.rejects(fetching, { message: 'no route' });
    assert.equal(site.node.unanswered, 1);
  });

  for (const [what, version, expected] of [
    ['newer', 9, '9'],
    ['older', 5, '7'],
    ['the same', 7, '7'],
  ] as const) {
    it(`is what the higher version says, when the watch brings ${what} before the answer`, async function () {
      const site = new Site();
      site.want();
      const fetching = site.fetch();
      site.put(version);
      site.client.next().resolve(object(7));
      await fetching;
      assert.equal(site.version, expected);
    });
  }

  it('does not go back to an older event after the answer', async function () {
    const site = new Site();
    site.want();
    const fetching = site.fetch();
    site.client.next().resolve(object(7));
    await fetching;
    site.put(5);
    site.table.remove(object(6));
    assert.equal(site.version, '7');
    site.table.remove(object(8));
    assert.equal(site.version, undefined);
  });

  it('stays deleted when the answer is from before the deletion', async function () {
    const site = new Site();
    site.want();
    const fetching = site.fetch();
    site.table.remove(object(8));
    site.client.next().resolve(object(7));
    await fetching;
    assert.equal(site.version, undefined);
  });

  it('is what the watch said meanwhile, when the answer is that there is none', async function () {
    const site = new Site();
    site.want();
    const fetching = site.fetch();
    site.put(9);
    site.client.next().reject(notFound());
    await fetching;
    assert.equal(site.version, '9');
  });

  it('is fetched again when nobody wanted it for a moment: events of that moment were dropped', async function () {
    const site = new Site();
    const record = site.want();
    const fetching = site.fetch();
    release(site.node, record);
    site.put(8);
    site.want();
    site.client.next().resolve(object(7));
    await fetching;
    assert.equal(site.version, undefined);
    const again = site.fetch();
    site.client.next().resolve(object(8));
    await again;
    assert.equal(site.version, '8');
  });

  it('is not removed by a list that ran when it was first wanted, but verified', async function () {
    const site = new Site();
    site.feed.listsBegun = 2;
    site.want();
    const fetching = site.fetch();
    site.client.next().resolve(object(7));
    await fetching;
    site.replace(listed(20, 2));
    assert.equal(site.version, '7');
    const verifying = site.fetch();
    site.client.next().reject(notFound());
    await verifying;
    assert.equal(site.version, undefined);
  });

  it('is asked for anew when such a list ends while the answer is on its way: it has swallowed deletions', async function () {
    const site = new Site();
    site.feed.listsBegun = 2;
    site.want();
    const fetching = site.fetch();
    site.replace(listed(20, 2));
    site.client.next().resolve(object(7));
    await fetching;
    assert.deepEqual([site.version, site.node.unanswered], [undefined, 1]);
    const again = site.fetch();
    site.client.next().reject(notFound());
    await again;
    assert.equal(site.node.unanswered, 0);
  });

  it('is removed by a list that began later, unless it is newer than that', async function () {
    const site = new Site();
    site.want();
    const fetching = site.fetch();
    site.client.next().resolve(object(30));
    await fetching;
    site.feed.listsBegun = 2;
    site.replace(listed(20, 2));
    assert.equal(site.version, '30', 'made after what the list shows');
    site.feed.listsBegun = 3;
    site.replace(listed(40, 3));
    assert.equal(site.version, undefined);
  });

  it('is as an older list shows it, when the server went back', async function () {
    const site = new Site();
    site.want();
    const fetching = site.fetch();
    site.client.next().resolve(object(30));
    await fetching;
    site.feed.listsBegun = 2;
    site.replace(listed(20, 2, true), object(10));
    assert.equal(site.version, '10');
  });

  it('is asked for again when the server went back while the answer was on its way', async function () {
    const site = new Site();
    site.feed.listsBegun = 2;
    site.want();
    const fetching = site.fetch();
    site.feed.listsBegun = 3;
    site.replace(listed(20, 3, true));
    site.client.next().resolve(object(30));
    await fetching;
    assert.equal(site.version, undefined);
    const again = site.fetch();
    site.client.next().resolve(object(10));
    await again;
    assert.equal(site.version, undefined, 'absent as of 20');
  });
});

function podOf(name: string, version: number): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: name, resourceVersion: String(version) },
    spec: { nodeName: 'edge-1', containers: [] },
  };
}

/** Pods of one node, which has become an edge node after the first list. */
class PodSite {
  readonly client = new HeldClient();
  readonly feed = { listsBegun: 1 };
  readonly enqueued: string[] = [];
  readonly node = new TestNode();
  readonly scope = this.node as unknown as NodeScope;
  readonly pods = new BoundPods({
    client: this.client as unknown as ApiClient,
    events,
    scope: (name) => (name === 'edge-1' ? this.scope : undefined),
    resolve: () => undefined,
    enqueue: (name) => this.enqueued.push(name),
    onPod: () => {},
    onEmpty: () => {},
  });

  constructor() {
    this.pods.attach(this.feed);
  }

  fetch(): Promise<void> {
    assert.equal(this.enqueued.shift(), 'edge-1', 'a fetch is enqueued');
    return this.pods.fetch('edge-1', signal);
  }

  answer(...items: KubeObject[]): void {
    const call = this.client.next();
    assert.equal(call.call.query?.['fieldSelector'], 'spec.nodeName=edge-1');
    assert.equal(call.call.query['resourceVersion'], undefined, 'a quorum read');
    call.resolve({ items, metadata: { resourceVersion: '50' } });
  }

  put(pod: KubeObject): void {
    const entry = this.pods.prepare(pod);
    if (entry !== undefined) this.pods.put(entry);
  }

  replace(list: CompleteList, ...pods: KubeObject[]): void {
    const entries = pods.map((pod) => this.pods.prepare(pod)).filter((entry) => entry !== undefined);
    this.pods.replace(entries, list);
  }

  get names(): string[] {
    return [...this.pods.names()].map(([, name]) => name).sort();
  }
}

describe('pods of a node that becomes an edge node', function () {
  it('are asked for', async function () {
    const site = new PodSite();
    site.replace(listed(10, 1));
    site.pods.enter(site.scope);
    assert.equal(site.node.unanswered, 1);
    const fetching = site.fetch();
    site.answer(podOf('p1', 5), podOf('p2', 6));
    await fetching;
    assert.deepEqual([site.names, site.node.unanswered, site.node.present], [['p1', 'p2'], 0, 2]);
  });

  it('do not come back when they were deleted while the answer was on its way', async function () {
    const site = new PodSite();
    site.replace(listed(10, 1));
    site.pods.enter(site.scope);
    const fetching = site.fetch();
    site.pods.remove(podOf('p1', 12));
    site.put(podOf('p2', 13));
    site.answer(podOf('p1', 5), podOf('p2', 6));
    await fetching;
    assert.deepEqual(site.names, ['p2']);
    assert.equal(site.pods.table.get('pods/default/p2')?.version, '13');
  });

  it('are asked for again after a list that ran meanwhile, which may have passed them', async function () {
    const site = new PodSite();
    site.replace(listed(10, 1));
    site.feed.listsBegun = 2;
    site.pods.enter(site.scope);
    const fetching = site.fetch();
    site.answer(podOf('p1', 5), podOf('p2', 6));
    await fetching;
    site.replace(listed(20, 2));
    assert.deepEqual(site.names, ['p1', 'p2'], 'not removed unseen');
    assert.equal(site.node.unanswered, 1);
    const again = site.fetch();
    site.answer(podOf('p2', 6));
    await again;
    assert.deepEqual([site.names, site.node.unanswered], [['p2'], 0]);
  });

  it('are not believed to be those of an answer that a list has overtaken', async function () {
    const site = new PodSite();
    site.replace(listed(10, 1));
    site.feed.listsBegun = 2;
    site.pods.enter(site.scope);
    const fetching = site.fetch();
    site.replace(listed(20, 2));
    site.answer(podOf('p1', 5));
    await fetching;
    assert.deepEqual([site.names, site.node.unanswered], [[], 1]);
    const again = site.fetch();
    site.answer();
    await again;
    assert.deepEqual([site.names, site.node.unanswered], [[], 0]);
  });

  it('are answered by a list that began later', async function () {
    const site = new PodSite();
    site.replace(listed(10, 1));
    site.pods.enter(site.scope);
    const fetching = site.fetch();
    site.feed.listsBegun = 2;
    site.replace(listed(20, 2), podOf('p1', 5));
    assert.deepEqual([site.names, site.node.unanswered], [['p1'], 0]);
    site.answer(podOf('p1', 5), podOf('gone', 6));
    await fetching;
    assert.deepEqual(site.names, ['p1']);
  });

  it('are let go when it is none any more, and the answer with them', async function () {
    const site = new PodSite();
    site.replace(listed(10, 1));
    site.pods.enter(site.scope);
    const fetching = site.fetch();
    site.put(podOf('p1', 12));
    site.node.edge = false;
    site.pods.leave(site.scope);
    assert.deepEqual([site.names, site.node.unanswered, site.node.holds.size], [[], 0, 0]);
    site.answer(podOf('p1', 5));
    await fetching;
    assert.deepEqual(site.names, []);
  });

  it('are taken from each page of the answer', async function () {
    const site = new PodSite();
    site.replace(listed(10, 1));
    site.pods.enter(site.scope);
    const fetching = site.fetch();
    site.client.next().resolve({ items: [podOf('p1', 5)], metadata: { continue: 'more' } });
    await new Promise((resolve) => setImmediate(resolve));
    const second = site.client.next();
    assert.equal(second.call.query?.['continue'], 'more');
    second.resolve({ items: [podOf('p2', 5)], metadata: { continue: '' } });
    await fetching;
    assert.deepEqual(site.names, ['p1', 'p2']);
  });
});
