import assert from 'node:assert/strict';
import {
  compareVersions,
  controllerOf,
  controllerReference,
  formatApiVersion,
  formatMicroTime,
  formatTime,
  isControlledBy,
  jsonEqual,
  ownerReference,
  parseApiVersion,
  parseTime,
  RestMapper,
  type KubeObject,
} from '../../src/index.ts';

describe('apiVersion', () => {
  it('splits and joins', () => {
    for (const text of ['v1', 'apps/v1', 'devices.kubeedge.io/v1beta1']) {
      assert.equal(formatApiVersion(parseApiVersion(text)), text);
    }
    assert.deepEqual(parseApiVersion('v1'), { group: '', version: 'v1' });
    assert.throws(() => parseApiVersion('a/b/c'), { message: 'unexpected GroupVersion string: a/b/c' });
  });

  it('sorts by preference', () => {
    const order = ['v10', 'v2', 'v1', 'v11beta2', 'v3beta1', 'v12alpha1', 'v1alpha2', 'foo10', 'foo2'];
    assert.deepEqual([...order].reverse().sort(compareVersions), order);
  });
});

describe('RestMapper', () => {
  const pod = { group: '', version: 'v1', resource: 'pods', kind: 'Pod', namespaced: true };
  const gadget = { group: 'x.io', version: 'v1', resource: 'gadgets', kind: 'Gadget', namespaced: false };
  const older = { ...gadget, version: 'v1beta1' };
  const mapper = new RestMapper([pod, gadget, older]);

  it('leads from kinds to resources and back', () => {
    assert.equal(mapper.mappingOf({ apiVersion: 'v1', kind: 'Pod' }), pod);
    assert.equal(mapper.mappingOf({ apiVersion: 'x.io/v1beta1', kind: 'Gadget' }), older);
    assert.equal(mapper.kindOf('x.io', 'gadgets'), gadget);
    assert.equal(mapper.kindOf('x.io', 'gadgets', 'v1beta1'), older);
    assert.equal(mapper.preferred('x.io', 'Gadget'), gadget);
  });

  it('says undefined for what is not served', () => {
    assert.equal(mapper.mappingOf({ apiVersion: 'x.io/v2', kind: 'Gadget' }), undefined);
    assert.equal(mapper.mappingOf({ apiVersion: 'a/b/c', kind: 'Gadget' }), undefined);
    assert.equal(mapper.kindOf('', 'gadgets'), undefined);
    assert.equal(mapper.kindOf('x.io', 'gadgets', 'v3'), undefined);
    assert.equal(mapper.preferred('', 'Gadget'), undefined);
  });
});

describe('times', () => {
  it('are written in whole seconds, or with microseconds', () => {
    assert.equal(formatTime(Date.UTC(2026, 0, 1) + 999), '2026-01-01T00:00:00Z');
    assert.equal(formatMicroTime(Date.UTC(2026, 0, 1) + 1.5), '2026-01-01T00:00:00.001500Z');
    assert.equal(formatMicroTime(Date.UTC(2026, 0, 1) - 0.0001), '2026-01-01T00:00:00.000000Z');
  });

  it('are read with any offset and fraction', () => {
    const expected = Date.UTC(2026, 0, 1);
    assert.equal(parseTime('2026-01-01T00:00:00Z'), expected);
    assert.equal(parseTime('2026-01-01T02:00:00+02:00'), expected);
    assert.equal(parseTime('2026-01-01T00:00:00.001500Z'), expected + 1.5);
    for (const bad of ['', 'yesterday', '2026-01-01', '2026-01-01 00:00:00Z', '2026-13-01T00:00:00Z']) {
      assert.equal(parseTime(bad), undefined, bad);
    }
  });
});

describe('owner references', () => {
  const owner: KubeObject = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'a', uid: '1' } };
  const reference = controllerReference(owner);
  const child: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'b', ownerReferences: [{ ...ownerReference(owner), uid: '0' }, reference] },
  };

  it('name the controller by uid', () => {
    assert.deepEqual(reference, {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      name: 'a',
      uid: '1',
      controller: true,
      blockOwnerDeletion: true,
    });
    assert.equal(controllerOf(child), reference);
    assert.equal(isControlledBy(child, owner), true);
    assert.equal(isControlledBy(child, { ...owner, metadata: { name: 'a', uid: '2' } }), false);
    assert.equal(isControlledBy(child, { ...owner, metadata: { name: 'a' } }), false);
  });

  it('need an owner that was stored', () => {
    assert.throws(() => ownerReference({ ...owner, metadata: { name: 'a' } }), TypeError);
  });
});

describe('jsonEqual', () => {
  it('does not care for order of keys, nor for undefined members', () => {
    assert.equal(jsonEqual({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1, d: undefined }), true);
    for (const [left, right] of [
      [{ a: 1 }, { a: 2 }],
      [
        [1, 2],
        [2, 1],
      ],
      [[], {}],
      [{ a: null }, {}],
      [0, '0'],
    ]) {
      assert.equal(jsonEqual(left, right), false);
    }
  });
});
