import assert from 'node:assert/strict';
import {
  applyJsonPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  createMergePatch,
  patchTypeOf,
  type JsonObject,
} from '../../src/index.ts';

describe('JSON patch', () => {
  it('leaves the target alone and touches no prototype', () => {
    const target = Object.freeze({ a: Object.freeze({ b: 1 }) });
    assert.deepEqual(applyJsonPatch(target, [{ op: 'replace', path: '/a/b', value: 2 }]), { a: { b: 2 } });
    assert.deepEqual(target, { a: { b: 1 } });
    const evil = [{ op: 'add', path: '/__proto__/polluted', value: true }];
    assert.throws(() => applyJsonPatch(target, evil), { code: 'ERR_KUBE_INVALID' });
    assert.equal('polluted' in {}, false);
  });

  it('refuses what is no patch, and too much of one', () => {
    const cases: readonly (readonly [unknown, string])[] = [
      [null, 'ERR_KUBE_BAD_REQUEST'],
      ['x', 'ERR_KUBE_BAD_REQUEST'],
      [[5], 'ERR_KUBE_BAD_REQUEST'],
      [[{}], 'ERR_KUBE_INVALID'],
      [[{ op: 'add', path: 'x', value: 1 }], 'ERR_KUBE_INVALID'],
      [[{ op: 'add', path: '/x' }], 'ERR_KUBE_INVALID'],
      [[{ op: 'replace', path: '', value: 5 }], 'ERR_KUBE_INVALID'],
      [[{ op: 'add', path: '/list/9', value: 1 }], 'ERR_KUBE_INVALID'],
      [
        Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: 1 })),
        'ERR_KUBE_REQUEST_ENTITY_TOO_LARGE',
      ],
    ];
    for (const [patch, code] of cases) {
      assert.throws(
        () => applyJsonPatch({ a: 1, list: [] }, patch),
        { code },
        JSON.stringify(patch).slice(0, 60),
      );
    }
  });
});

// The table of RFC 7386, appendix A, as far as both sides are objects.
describe('merge patch', () => {
  const table: readonly (readonly [JsonObject, JsonObject, JsonObject])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, result] of table) {
    it(`${JSON.stringify(target)} + ${JSON.stringify(patch)}`, () => {
      assert.deepEqual(applyMergePatch(target, patch), result);
    });
  }

  it('refuses what is no object', () => {
    assert.throws(() => applyMergePatch({}, [1]), {
      message:
        'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    });
  });

  it('is made from two objects so that it leads from one to the other', () => {
    const from = { a: 1, b: { c: [1, 2], d: 'x' }, e: { f: 1 } };
    const to = { a: 1, b: { c: [1], d: 'x', g: {} }, h: true };
    const patch = createMergePatch(from, to);
    assert.deepEqual(patch, { b: { c: [1], g: {} }, e: null, h: true });
    assert.deepEqual(applyMergePatch(from, patch), to);
    assert.deepEqual(createMergePatch(from, from), {});
  });
});

describe('strategic merge patch', () => {
  const pod = patchTypeOf('', 'Pod');
  const merge = (target: JsonObject, patch: JsonObject): JsonObject =>
    applyStrategicMergePatch(target, patch, pod);
  const named = (...names: string[]): JsonObject[] => names.map((name) => ({ name }));

  const table: readonly (readonly [string, JsonObject, JsonObject, JsonObject])[] = [
    [
      'puts new items before those that only the server has, as kubectl shows it',
      { spec: { containers: named('a', 'b') } },
      { spec: { containers: [{ name: 'c', image: 'i' }] } },
      { spec: { containers: [{ name: 'c', image: 'i' }, ...named('a', 'b')] } },
    ],
    [
      'keeps the place of what it changes',
      { spec: { containers: named('a', 'b', 'c') } },
      { spec: { containers: [{ name: 'b', image: 'i' }] } },
      { spec: { containers: [{ name: 'a' }, { name: 'b', image: 'i' }, { name: 'c' }] } },
    ],
    [
      'orders as told, and keeps what the server added before what it stood before',
      { spec: { containers: named('a', 'side', 'b') } },
      { spec: { '$setElementOrder/containers': named('b', 'a') } },
      { spec: { containers: named('side', 'b', 'a') } },
    ],
    [
      'merges sets of scalars',
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { finalizers: ['c', 'b'], '$setElementOrder/finalizers': ['c', 'b'] } },
      { metadata: { finalizers: ['c', 'a', 'b'] } },
    ],
    [
      'removes from a set and adds to it at once',
      { metadata: { finalizers: ['a', 'b'] } },
      { metadata: { finalizers: ['c'], '$deleteFromPrimitiveList/finalizers': ['a'] } },
      { metadata: { finalizers: ['c', 'b'] } },
    ],
    [
      'replaces lists without a key',
      { spec: { tolerations: [{ key: 'a' }] } },
      { spec: { tolerations: [{ key: 'b' }] } },
      { spec: { tolerations: [{ key: 'b' }] } },
    ],
    [
      'takes new parts without directives and nulls',
      {},
      {
        spec: {
          x: null,
          volumes: [
            { name: 'v', $retainKeys: ['name'] },
            { name: 'w', $patch: 'delete' },
          ],
        },
      },
      { spec: { volumes: [{ name: 'v' }] } },
    ],
    ['empties a map', { spec: { a: 1 } }, { spec: { $patch: 'delete' } }, { spec: {} }],
    ['replaces a map', { spec: { a: 1 } }, { spec: { $patch: 'replace', b: 2 } }, { spec: { b: 2 } }],
    [
      'merges fields it knows nothing about',
      { x: { y: { a: 1 } } },
      { x: { y: { b: 2 } } },
      { x: { y: { a: 1, b: 2 } } },
    ],
    ['takes a value of another type', { spec: { a: [1] } }, { spec: { a: 'x' } }, { spec: { a: 'x' } }],
    [
      'merges list items deeply',
      { spec: { containers: [{ name: 'a', env: named('X', 'Y'), resources: { limits: { cpu: '1' } } }] } },
      {
        spec: {
          containers: [
            { name: 'a', env: [{ name: 'Y', value: '2' }], resources: { limits: { memory: '1Gi' } } },
          ],
        },
      },
      {
        spec: {
          containers: [
            {
              name: 'a',
              env: [{ name: 'X' }, { name: 'Y', value: '2' }],
              resources: { limits: { cpu: '1', memory: '1Gi' } },
            },
          ],
        },
      },
    ],
  ];
  for (const [what, target, patch, result] of table) {
    it(what, () => {
      const before = structuredClone(target);
      assert.deepEqual(merge(target, patch), result);
      assert.deepEqual(target, before);
    });
  }

  it('replaces the selector of a disruption budget', () => {
    const budget = { spec: { selector: { matchLabels: { a: '1' } } } };
    const patch = { spec: { selector: { matchLabels: { b: '2' } } } };
    assert.deepEqual(
      applyStrategicMergePatch(budget, patch, patchTypeOf('policy', 'PodDisruptionBudget')),
      patch,
    );
  });

  it('knows metadata of kinds that it does not know', () => {
    const type = patchTypeOf('x', 'Unknown');
    const target = { metadata: { ownerReferences: [{ uid: '1' }] }, spec: { list: [1] } };
    const patch = { metadata: { ownerReferences: [{ uid: '2' }] }, spec: { list: [2] } };
    assert.deepEqual(applyStrategicMergePatch(target, patch, type), {
      metadata: { ownerReferences: [{ uid: '2' }, { uid: '1' }] },
      spec: { list: [2] },
    });
  });

  it('refuses what it does not understand', () => {
    const containers = { spec: { containers: named('a') } };
    const cases: readonly (readonly [JsonObject, RegExp])[] = [
      [{ spec: { containers: [{ name: 'a', $patch: 'frob' }] } }, /^unknown patch type: frob in map/],
      [{ spec: { containers: [{ $patch: 'delete' }] } }, /does not contain declared merge key: name/],
      [{ spec: { containers: [{ name: 'a', $patch: 'merge' }] } }, /merging lists cannot yet be specified/],
      [{ spec: { containers: ['a'] } }, /does not contain declared merge key: name/],
      [{ spec: { $retainKeys: 'x' } }, /invalid patch format of retainKeys/],
      [{ spec: { $retainKeys: ['a'], b: 1 } }, /invalid patch format of retainKeys/],
      [{ spec: { '$setElementOrder/containers': 'x' } }, /expected a list/],
    ];
    for (const [patch, message] of cases) {
      assert.throws(
        () => merge(containers, patch),
        (error: Error & { status: { code: number } }) => {
          assert.match(error.message, message);
          assert.equal(error.status.code, 500);
          return true;
        },
      );
    }
  });
});
