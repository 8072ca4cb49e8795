import assert from 'node:assert/strict';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import { KeptContent } from '../../src/cache/kept-content.ts';
import {
  hold,
  ObjectRecord,
  release,
  setContent,
  setReferences,
  type InterestNode,
} from '../../src/cache/object-record.ts';

class TestNode implements InterestNode {
  readonly holds = new Map<ObjectRecord, number>();
  present = 0;
  unanswered = 0;
  readonly told = new Set<string>();

  touched(key: string): void {
    this.told.add(key);
  }

  settling(): void {
    assert.ok(this.unanswered >= 0);
  }

  /** What a listener would know, reading again only the keys that it was told of. */
  readonly seen = new Map<string, string>();

  read(): void {
    for (const key of this.told) {
      const held = [...this.holds.keys()].find((record) => record.key === key);
      if (held?.content === undefined) this.seen.delete(key);
      else this.seen.set(key, held.content.hash);
    }
    this.told.clear();
  }
}

function content(key: string, hash: string): KeptContent {
  return KeptContent.of({ key, hash, version: '1', bytes: new Uint8Array(0) }, key);
}

/** Records by key as a table keeps them: made when asked for, gone when nobody wants them. */
class Records {
  readonly all = new Map<string, ObjectRecord>();
  readonly owner = {
    wanted: (record: ObjectRecord): void => {
      assert.equal(record.wantedBy, 1);
      assert.equal(this.all.get(record.key), record);
    },
    unwanted: (record: ObjectRecord): void => void this.all.delete(record.key),
  };

  resolve(key: string): ObjectRecord {
    const known = this.all.get(key) ?? new ObjectRecord(key, this.owner, 0);
    this.all.set(key, known);
    return known;
  }
}

interface Pod {
  readonly node: number;
  names: string[];
}

const NODES = 4;
const TOP = ['a', 'b', 'c', 'd', 'e', 'f'];
/** Claims, which name volumes. */
const CLAIMS = ['claim-a', 'claim-b', 'claim-c'];
const VOLUMES = ['volume-a', 'volume-b'];

function some(random: Random, from: readonly string[]): string[] {
  return from.filter(() => random.next() < 0.4);
}

/** One run of random changes beside a model that is computed anew after each. */
function churn(seed: number, steps: number): void {
  const random = seededRandom(seed);
  const records = new Records();
  const nodes = Array.from({ length: NODES }, () => new TestNode());
  const pods = new Map<ObjectRecord, Pod>();
  const volumesOf = new Map<string, string[]>();
  const contents = new Map<string, string>();

  const nodeAt = (index: number): TestNode => {
    const node = nodes[index];
    assert.ok(node);
    return node;
  };
  const setClaim = (key: string): void => {
    const claim = records.all.get(key);
    if (claim !== undefined && claim.wantedBy > 0) {
      setReferences(
        claim,
        (volumesOf.get(key) ?? []).map((name) => records.resolve(name)),
      );
    }
  };
  const setNames = (pod: ObjectRecord, names: string[]): void => {
    setReferences(
      pod,
      names.map((name) => records.resolve(name)),
    );
    for (const name of names) {
      setClaim(name);
      const known = records.resolve(name);
      if (!known.known && contents.has(name)) setContent(known, content(name, contents.get(name) ?? ''), '1');
    }
  };
  const actions = [
    () => {
      const node = randomBelow(random, NODES);
      const pod = new ObjectRecord(
        `pod-${seed}-${pods.size}-${random.next()}`,
        { wanted() {}, unwanted() {} },
        0,
      );
      setContent(pod, content(pod.key, 'p'), '1');
      const names = some(random, [...TOP, ...CLAIMS]);
      pods.set(pod, { node, names });
      hold(nodeAt(node), pod);
      setNames(pod, names);
    },
    () => {
      const [pod, about] = [...pods][randomBelow(random, Math.max(1, pods.size))] ?? [];
      if (pod === undefined || about === undefined) return;
      about.names = some(random, [...TOP, ...CLAIMS]);
      setNames(pod, about.names);
    },
    () => {
      const [pod, about] = [...pods][randomBelow(random, Math.max(1, pods.size))] ?? [];
      if (pod === undefined || about === undefined) return;
      release(nodeAt(about.node), pod);
      pods.delete(pod);
    },
    () => {
      const key = CLAIMS[randomBelow(random, CLAIMS.length)] ?? '';
      volumesOf.set(key, some(random, VOLUMES));
      setClaim(key);
    },
    () => {
      const all = [...TOP, ...CLAIMS, ...VOLUMES];
      const key = all[randomBelow(random, all.length)] ?? '';
      const exists = random.next() < 0.7;
      if (exists) contents.set(key, `h${randomBelow(random, 3)}`);
      else contents.delete(key);
      const known = records.all.get(key);
      if (known !== undefined)
        setContent(known, exists ? content(key, contents.get(key) ?? '') : undefined, '1');
    },
  ];
  for (let step = 0; step < steps; step += 1) {
    actions[randomBelow(random, actions.length)]?.();
    compare(`seed ${seed}, step ${step}`);
  }
  for (const [pod, { node }] of pods) release(nodeAt(node), pod);
  assert.equal(records.all.size, 0, `seed ${seed}: records are left`);

  function compare(where: string): void {
    for (const [index, node] of nodes.entries()) {
      const counts = new Map<string, number>();
      const add = (key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
      for (const [pod, { node: on, names }] of pods) {
        if (on !== index) continue;
        add(pod.key);
        for (const name of names) add(name);
      }
      // A claim counts once for what it names, however many pods name the claim.
      for (const claim of CLAIMS) {
        if (!counts.has(claim)) continue;
        for (const { key } of records.all.get(claim)?.references ?? []) add(key);
      }
      const held = new Map([...node.holds].map(([{ key }, count]) => [key, count]));
      assert.deepEqual(sorted(held), sorted(counts), where);
      const present = [...node.holds.keys()].filter((record) => record.content !== undefined);
      assert.equal(node.present, present.length, where);
      assert.equal(node.unanswered, [...node.holds.keys()].filter(({ known }) => !known).length, where);
      node.read();
      assert.deepEqual(
        sorted(node.seen),
        sorted(new Map(present.map((record) => [record.key, record.content?.hash ?? '']))),
        `${where}: a listener that reads what it is told of`,
      );
      for (const record of node.holds.keys()) assert.ok(record.nodes().includes(node), where);
    }
    for (const record of records.all.values()) {
      assert.ok(record.wantedBy > 0, `${where}: ${record.key} is kept for nobody`);
      for (const node of record.nodes()) assert.ok(node.holds.has(record), where);
    }
  }
}

function sorted<V>(map: ReadonlyMap<string, V>): [string, V][] {
  return [...map].sort(([left], [right]) => (left < right ? -1 : 1));
}

describe('interest in objects', function () {
  it('is counted exactly, whatever changes', function () {
    this.timeout(scaled(10_000, 120_000));
    for (let seed = 1; seed <= scaled(40, 1000); seed += 1) churn(seed, 60);
  });

  it('does not drop what moves from one object to another', function () {
    const records = new Records();
    const node = new TestNode();
    const [first, second] = ['pod-1', 'pod-2'].map(
      (key) => new ObjectRecord(key, { wanted() {}, unwanted() {} }, 0),
    );
    assert.ok(first && second);
    hold(node, first);
    setReferences(first, [records.resolve('a')]);
    const kept = records.resolve('a');
    hold(node, second);
    setReferences(second, [kept]);
    release(node, first);
    assert.equal(records.all.get('a'), kept);
    assert.equal(node.holds.get(kept), 1);
  });

  it('tells nobody of a content that is the same', function () {
    const node = new TestNode();
    const record = new ObjectRecord('a', { wanted() {}, unwanted() {} }, 0);
    hold(node, record);
    setContent(record, content('a', 'h1'), '1');
    node.told.clear();
    setContent(record, content('a', 'h1'), '2');
    assert.deepEqual([...node.told], []);
    setContent(record, content('a', 'h2'), '3');
    assert.deepEqual([...node.told], ['a']);
  });
});
