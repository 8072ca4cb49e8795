import assert from 'node:assert/strict';
import { randomBelow, seededRandom, type Random } from '@hawser/seams';
import { canonicalJson, contentOf } from '@hawser/sync';
import { jsonMembers } from '../../src/local-store/json-members.ts';
import { withVersion } from '../../src/local-store/local-entry.ts';
import { ContentEntry } from '../../src/local-store/content-entry.ts';

const TEXTS = ['', 'a', 'metadata', '"metadata":{', '\\', '\\"', 'é', '😀', 'a\nb', '}', '{', '[', ',', ':'];

function value(random: Random, depth: number): unknown {
  const kind = randomBelow(random, depth > 3 ? 5 : 7);
  switch (kind) {
    case 0:
      return TEXTS[randomBelow(random, TEXTS.length)];
    case 1:
      return randomBelow(random, 1000) - 500;
    case 2:
      return random.next() < 0.5;
    case 3:
      return null;
    case 4:
      return random.next() * 1e21;
    case 5:
      return Array.from({ length: randomBelow(random, 4) }, () => value(random, depth + 1));
    default:
      return fields(random, depth + 1);
  }
}

function fields(random: Random, depth: number): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (let count = randomBelow(random, 5); count > 0; count -= 1)
    made[TEXTS[randomBelow(random, TEXTS.length)] ?? ''] = value(random, depth);
  return made;
}

describe('local store: entries over canonical JSON', () => {
  it('puts the version into metadata, and kind, apiVersion and metadata first', () => {
    const slice = {
      addressType: 'IPv4',
      apiVersion: 'discovery.k8s.io/v1',
      endpoints: [{ addresses: ['10.0.0.1'], metadata: { name: 'not this one' } }],
      kind: 'EndpointSlice',
      metadata: { labels: { a: 'b' }, name: 's', namespace: 'default' },
      ports: null,
    };
    assert.equal(
      withVersion(Buffer.from(canonicalJson(slice)), 12).toString(),
      '{"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1",' +
        '"metadata":{"resourceVersion":"12","labels":{"a":"b"},"name":"s","namespace":"default"},' +
        '"addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"metadata":{"name":"not this one"}}],"ports":null}',
    );
    assert.equal(
      withVersion(Buffer.from('{"metadata":{}}'), 1).toString(),
      '{"metadata":{"resourceVersion":"1"}}',
    );
  });

  it('finds members and splices versions for whatever an object has', () => {
    const random = seededRandom(11);
    for (let round = 0; round < 800; round += 1) {
      const metadata = { ...fields(random, 2), name: 'a' };
      const object = { ...fields(random, 0), apiVersion: 'v1', kind: 'K', metadata };
      const bytes = Buffer.from(canonicalJson(object));
      const expected = { ...object, metadata: { ...metadata, resourceVersion: '7' } };
      assert.deepEqual(JSON.parse(withVersion(bytes, 7).toString()), JSON.parse(JSON.stringify(expected)));
      for (const [name, { value: from, to }] of jsonMembers(bytes, 0)) {
        const member = (object as Record<string, unknown>)[JSON.parse(`"${name}"`) as string];
        assert.deepEqual(JSON.parse(bytes.subarray(from, to).toString()), JSON.parse(JSON.stringify(member)));
      }
    }
  });

  it('has labels and annotations without parsing the rest', () => {
    const metadata = {
      name: 'a',
      resourceVersion: '5',
      labels: { 'kubernetes.io/service-name': 'é"' },
      annotations: { x: '{"labels":{"no":"no"}}' },
    };
    const content = contentOf('services', { apiVersion: 'v1', kind: 'Service', metadata });
    const entry = ContentEntry.of({ group: '', resource: 'services' }, content);
    assert.deepEqual(entry.labels, metadata.labels);
    assert.deepEqual(entry.annotations, metadata.annotations);
    assert.equal(entry.resourceVersion, 5);
    assert.deepEqual(entry.key, { group: '', resource: 'services', namespace: '', name: 'a' });
    assert.equal(entry.at(9).object.metadata.resourceVersion, '9');
    const bare = contentOf('services', { kind: 'Service', metadata: { name: 'b' } });
    assert.deepEqual(ContentEntry.of({ group: '', resource: 'services' }, bare).labels, {});
  });
});
