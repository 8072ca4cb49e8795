import assert from 'node:assert/strict';
import { compareKeys, formatKey, MAX_KEY_BYTES, parseKey } from '../../src/index.ts';
import { throwsCode } from '../rejections.ts';

describe('Keys', () => {
  it('are resource/namespace/name, there and back', () => {
    for (const [resource, namespace, name] of [
      ['pods', 'default', 'web-0'],
      ['nodes', '', 'edge-1'],
      ['devices.devices.kubeedge.io', 'plant', 'boiler'],
      ['clusterroles.rbac.authorization.k8s.io', '', 'system:node'],
      ['configmaps', 'default', 'žluť-🚢'],
    ] as const) {
      const key = formatKey(resource, namespace, name);
      assert.equal(key, `${resource}/${namespace}/${name}`);
      assert.deepEqual(parseKey(key), { resource, namespace, name });
    }
  });

  for (const key of [
    '',
    'pods',
    'pods/a',
    'pods/a/',
    '/a/b',
    '//b',
    '//',
    'pods/a/b/c',
    'pods/a/b/',
    'pods//b/',
    'pods/a/b\0',
    'pods/a/\ud83d',
    'pods/\udea2/b',
  ]) {
    it(`are not ${JSON.stringify(key)}`, () => {
      throwsCode(() => parseKey(key), 'ERR_SYNC_BAD_KEY');
    });
  }

  it('are not made of parts that would be read in another way', () => {
    throwsCode(() => formatKey('pods', 'a/b', 'c'), 'ERR_SYNC_BAD_KEY');
    throwsCode(() => formatKey('pods', 'a', ''), 'ERR_SYNC_BAD_KEY');
    throwsCode(() => formatKey('', 'a', 'b'), 'ERR_SYNC_BAD_KEY');
  });

  it('have a longest length in bytes, and errors that do not repeat all of it', () => {
    const longest = formatKey('pods', 'a', 'x'.repeat(MAX_KEY_BYTES - 'pods/a/'.length));
    assert.equal(Buffer.byteLength(longest), MAX_KEY_BYTES);
    throwsCode(() => parseKey(`${longest}x`), 'ERR_SYNC_BAD_KEY');
    const wide = throwsCode(() => parseKey(`pods/a/${'🚢'.repeat(MAX_KEY_BYTES / 4)}`), 'ERR_SYNC_BAD_KEY');
    assert.ok(wide.length < 600);
  });

  it('sort by their UTF-8 bytes', () => {
    // U+FF5E is above the surrogates as UTF-16, and below what they stand for as UTF-8.
    const keys = ['pods/a/🚢', 'pods/a/\uff5e', 'pods/a/ž', 'pods/a/b', 'pods/a/a', 'pods/B/a', 'pods//z'];
    const sorted = keys.toSorted(compareKeys);
    const byBytes = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual(sorted, byBytes);
    assert.notDeepEqual(sorted, keys.toSorted());
    assert.equal(compareKeys('pods/a/a', 'pods/a/a'), 0);
  });
});
