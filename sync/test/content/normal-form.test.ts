import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { contentOf, NORMAL_FORMS, renormalize, type NormalForms } from '../../src/index.ts';
import { throwsCode } from '../rejections.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const pod = {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: {
    name: 'web-0',
    namespace: 'default',
    uid: '7d2f',
    resourceVersion: '4711',
    selfLink: '/api/v1/namespaces/default/pods/web-0',
    annotations: { [LAST_APPLIED]: '{}', owner: 'shop' },
    managedFields: [{ manager: 'kubectl', operation: 'Apply' }],
  },
  spec: { containers: [{ name: 'web', image: 'web:1' }], nodeName: 'edge-1' },
  status: { phase: 'Running' },
};

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('The normal form', () => {
  it('of a pod has what an edge reads, and nothing else', () => {
    const content = contentOf('pods', pod);
    assert.equal(
      text(content.bytes),
      '{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"owner":"shop"},"name":"web-0","namespace":"default","uid":"7d2f"},"spec":{"containers":[{"image":"web:1","name":"web"}],"nodeName":"edge-1"}}',
    );
    assert.equal(content.key, 'pods/default/web-0');
    assert.equal(content.version, '4711');
    assert.equal(content.hash, createHash('sha256').update(content.bytes).digest('hex').slice(0, 32));
    assert.equal(content.previousHash, undefined);
  });

  it('of this release gives the hash that it always gave', () => {
    // Edges of this release have it on their disks.
    assert.equal(NORMAL_FORMS.current.version, 1);
    assert.equal(contentOf('pods', pod).hash, 'bda46cf5cc14a6d28fb21e814ffcf976');
    assert.equal(
      contentOf('configmaps', { metadata: { name: 'a' }, data: { 'ž🚢': '1\n\u2028', 10: '', 9: 'x' } }).hash,
      '2bf70049df7585e35b17b3306dfa18bd',
    );
  });

  it('is the same whatever the API server adds at every write', () => {
    const touched = structuredClone(pod);
    touched.metadata.resourceVersion = '4712';
    touched.metadata.managedFields = [{ manager: 'kubelet', operation: 'Update' }];
    touched.metadata.annotations[LAST_APPLIED] = '{"a":1}';
    touched.status.phase = 'Failed';
    assert.equal(contentOf('pods', touched).hash, contentOf('pods', pod).hash);
  });

  it('is another one for every change that an edge reads', () => {
    const changes: readonly ((object: typeof pod) => void)[] = [
      (object) => (object.metadata.uid = '7d30'),
      (object) => (object.metadata.annotations.owner = 'store'),
      (object) => (object.spec.nodeName = 'edge-2'),
      (object) => Object.assign(object.metadata, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      (object) => Object.assign(object.metadata, { generation: 2 }),
    ];
    const hashes = changes.map((change) => {
      const changed = structuredClone(pod);
      change(changed);
      return contentOf('pods', changed).hash;
    });
    assert.equal(new Set([...hashes, contentOf('pods', pod).hash]).size, changes.length + 1);
  });

  it('has no status only where the edge is the one who reports it', () => {
    const object = { metadata: { name: 'a' }, status: { ready: true } };
    for (const resource of ['pods', 'nodes', 'devices.devices.kubeedge.io'])
      assert.ok(!text(contentOf(resource, object).bytes).includes('status'), resource);
    for (const resource of ['services', 'persistentvolumeclaims', 'devices.example.com'])
      assert.ok(text(contentOf(resource, object).bytes).includes('status'), resource);
  });

  it('has no annotations where none is left', () => {
    const without = contentOf('configmaps', { metadata: { name: 'a' } }).hash;
    const applied = { metadata: { name: 'a', annotations: { [LAST_APPLIED]: '{}' } } };
    assert.equal(contentOf('configmaps', applied).hash, without);
    assert.equal(contentOf('configmaps', { metadata: { name: 'a', annotations: {} } }).hash, without);
  });

  it('leaves the object as it was, and shares no memory with others', () => {
    const before = structuredClone(pod);
    const { bytes } = contentOf('pods', pod);
    assert.deepEqual(pod, before);
    assert.equal(bytes.buffer.byteLength, bytes.length);
  });

  it('of a cluster-scoped object has an empty namespace in its key', () => {
    assert.equal(contentOf('nodes', { metadata: { name: 'edge-1' } }).key, 'nodes//edge-1');
  });

  it('is refused to what is no object of the API', () => {
    for (const value of [
      undefined,
      null,
      'text',
      [],
      {},
      { metadata: null },
      { metadata: {} },
      { metadata: { name: 7 } },
      { metadata: { name: 'a', namespace: 7 } },
      { metadata: { name: 'a', resourceVersion: 7 } },
      { metadata: { name: 'a' }, spec: Number.NaN },
    ])
      throwsCode(() => contentOf('pods', value), 'ERR_SYNC_BAD_CONTENT');
    throwsCode(() => contentOf('pods', { metadata: { name: 'a/b' } }), 'ERR_SYNC_BAD_KEY');
    throwsCode(() => contentOf('', { metadata: { name: 'a' } }), 'ERR_SYNC_BAD_KEY');
    assert.match(
      throwsCode(() => contentOf('pods', { metadata: { name: 'a' }, spec: 1n }), 'ERR_SYNC_BAD_CONTENT'),
      /^pods\/\/a: /,
    );
  });

  describe('of a later release', () => {
    const forms: NormalForms = {
      previous: NORMAL_FORMS.current,
      current: {
        ...NORMAL_FORMS.current,
        version: 2,
        withoutMetadata: ['managedFields', 'resourceVersion', 'uid'],
      },
    };

    it('comes with the hash that edges of this one have', () => {
      const ours = contentOf('pods', pod);
      const later = contentOf('pods', pod, forms);
      assert.notEqual(later.hash, ours.hash);
      assert.equal(later.previousHash, ours.hash);
      assert.ok(!text(later.bytes).includes('7d2f'));
    });

    it('is made at the edge from what it has', () => {
      const withoutLink = structuredClone(pod) as { metadata: { selfLink?: string } };
      delete withoutLink.metadata.selfLink;
      const made = renormalize(contentOf('pods', withoutLink), forms);
      const wanted = contentOf('pods', withoutLink, forms);
      assert.deepEqual(made, wanted);
      assert.equal(made.version, '4711');
    });
  });

  it('is not made of bytes that are no JSON', () => {
    for (const bytes of [
      Buffer.from('{'),
      Buffer.from([0x22, 0xff, 0x22]),
      Buffer.from('[]'),
      Buffer.alloc(0),
    ])
      throwsCode(() => renormalize({ key: 'pods/a/b', version: '1', bytes }), 'ERR_SYNC_BAD_CONTENT');
  });
});
