import assert from 'node:assert/strict';
import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  isPlainObject,
  patchTypeOf,
  type JsonObject,
  type StatusError,
} from '../../src/index.ts';
import { recordings, type Exchange } from '../recordings.ts';

/** What a server adds to what it stores: defaults and its own metadata. */
const ADDED = new Set([
  'defaultMode',
  'generation',
  'imagePullPolicy',
  'lastProbeTime',
  'protocol',
  'resources',
  'terminationMessagePath',
  'terminationMessagePolicy',
]);
const IGNORED = new Set(['managedFields', 'resourceVersion', 'generation', 'observedGeneration']);

/** Exchanges whose answer has other causes than the patch: admission, field validation, immutability. */
const JUDGED_ELSEWHERE = new Set(['strategic-pod-tolerations', 'merge-unknown-strict']);

function isEmpty(value: unknown): boolean {
  return (
    (Array.isArray(value) && value.length === 0) || (isPlainObject(value) && Object.keys(value).length === 0)
  );
}

/** Compares a patched object with what the server stored of it. */
function assertStored(patched: unknown, stored: unknown, path: string): void {
  if (Array.isArray(patched) && Array.isArray(stored)) {
    assert.equal(patched.length, stored.length, path);
    patched.forEach((item, index) => assertStored(item, stored[index], `${path}[${index}]`));
  } else if (isPlainObject(patched) && isPlainObject(stored)) {
    for (const key of new Set([...Object.keys(patched), ...Object.keys(stored)])) {
      if (IGNORED.has(key)) continue;
      if (!(key in stored)) assert.ok(isEmpty(patched[key]), `${path}.${key} is not stored`);
      else if (!(key in patched)) assert.ok(ADDED.has(key), `${path}.${key} is stored`);
      else assertStored(patched[key], stored[key], `${path}.${key}`);
    }
  } else {
    assert.deepEqual(patched, stored, path);
  }
}

function apply({ request }: Exchange, before: JsonObject): JsonObject {
  switch (request.headers['Content-Type']) {
    case 'application/json-patch+json':
      return applyJsonPatch(before, request.body);
    case 'application/merge-patch+json':
      return applyMergePatch(before, request.body);
    default: {
      const [group = '', version] = String(before['apiVersion']).split('/');
      const type = patchTypeOf(version === undefined ? '' : group, String(before['kind']));
      return applyStrategicMergePatch(before, request.body, type);
    }
  }
}

describe('patches, against recordings', () => {
  const present = new Map<string, JsonObject>();
  let compared = 0;
  for (const exchange of recordings('patch').values()) {
    const { request, response, name } = exchange;
    const type = request.headers['Content-Type'] ?? '';
    const path = (request.path.split('?')[0] ?? '').replace(/\/status$/, '');
    const before = present.get(path);
    const body = response.body;
    if (response.status === 200 && isPlainObject(body)) present.set(path, body);
    if (before === undefined || response.status !== 200 || JUDGED_ELSEWHERE.has(name)) continue;
    if (!isPlainObject(body) || !/json-patch|merge-patch/.test(type)) continue;
    compared += 1;
    it(name, () => assertStored(apply(exchange, before), body, ''));
  }

  it('cover most of the file', () => assert.ok(compared >= 17, `${compared} were compared`));

  const failing: readonly (readonly [string, JsonObject])[] = [
    ['json-test-fails', { data: { a: '9' } }],
    ['json-remove-missing', { data: { a: '9' } }],
    ['json-bad-op', { data: { a: '9' } }],
    ['json-not-array', { data: { a: '9' } }],
    [
      'strategic-dep-no-merge-key',
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        spec: { template: { spec: { containers: [{ name: 'a' }] } } },
      },
    ],
    ['strategic-dep-unknown-directive', { apiVersion: 'apps/v1', kind: 'Deployment', spec: { replicas: 1 } }],
  ];
  for (const [name, before] of failing) {
    it(`${name} fails in the same words`, () => {
      const exchange = recordings('patch').get(name);
      assert.ok(exchange !== undefined);
      assert.throws(
        () => apply(exchange, before),
        (error: StatusError) => {
          assert.deepEqual(error.status, exchange.response.body);
          return true;
        },
      );
    });
  }

  it('node-status-patch-bad-order fails in the same words', () => {
    const exchange = recordings('node').get('node-status-patch-bad-order');
    assert.ok(exchange !== undefined);
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    };
    assert.throws(
      () => apply(exchange, node),
      (error: StatusError) => {
        assert.deepEqual(error.status, exchange.response.body);
        return true;
      },
    );
  });
});
