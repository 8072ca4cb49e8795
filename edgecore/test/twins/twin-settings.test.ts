import assert from 'node:assert/strict';
import { versionOfDesired, type BoundDesired } from '@hawser/devices';
import {
  edgeSetting,
  inForce,
  judge,
  readSettings,
  withSetting,
  type EdgeSetting,
} from '../../src/twins/twin-settings.ts';

const UID = 'uid-1';

function cloud(value: string, metadata?: Readonly<Record<string, string>>): BoundDesired {
  const written = metadata === undefined ? { value } : { value, metadata };
  return { value, version: versionOfDesired(UID, 'p', written), written };
}

function setting(id: string, value: string, timestamp = 1): EdgeSetting {
  return edgeSetting({ uid: UID, property: 'p', id }, value, timestamp);
}

/** What the Device has once the hub has written a setting. */
function written({ written: { value, metadata } }: EdgeSetting): BoundDesired {
  return cloud(value, metadata);
}

describe('What was set at the edge', () => {
  const before = cloud('1');
  const first = setting('a', '2');
  const next = setting('b', '3', 2);
  const one = withSetting(undefined, before, first);
  const two = withSetting(one, before, next);

  it('has the version that the Device has once it is written', () => {
    assert.equal(written(first).version, first.version);
    assert.notEqual(setting('a', '2', 2).version, first.version, 'set anew, to the same value');
  });

  it('waits while the Device has what it was made over', () => {
    assert.deepEqual(judge(one, before, undefined), { left: one, outcome: 'waits' });
    assert.equal(inForce(one), first);
    const overNothing = withSetting(undefined, undefined, first);
    assert.deepEqual(judge(overNothing, undefined, undefined), { left: overNothing, outcome: 'waits' });
  });

  it('is taken when the Device has it', () => {
    assert.deepEqual(judge(one, written(first), 'a'), { left: undefined, outcome: 'taken' });
  });

  it('is superseded by what the cloud has set without knowing of it', () => {
    assert.deepEqual(judge(one, cloud('9'), undefined), { left: undefined, outcome: 'superseded' });
    assert.deepEqual(judge(one, undefined, undefined), { left: undefined, outcome: 'superseded' });
    assert.deepEqual(judge(one, cloud('1', { by: 'somebody' }), undefined), {
      left: undefined,
      outcome: 'superseded',
    });
  });

  it('is superseded when the hub has decided so, though the Device is as before', () => {
    assert.deepEqual(judge(one, before, 'a'), { left: undefined, outcome: 'superseded' });
    assert.deepEqual(judge(one, before, 'another'), { left: one, outcome: 'waits' });
  });

  it('is in force when it is the second one, which is told when the first one is there', () => {
    assert.equal(two.told, first);
    assert.equal(inForce(two), next);
    const { left, outcome } = judge(two, written(first), 'a');
    assert.equal(outcome, 'taken');
    assert.deepEqual(left?.told, next);
    assert.equal(left.over?.version, first.version);
    assert.equal(left.next, undefined);
    assert.deepEqual(judge(two, written(next), 'b'), { left: undefined, outcome: 'taken' });
    assert.equal(judge(two, cloud('9'), undefined).outcome, 'superseded');
  });

  it('keeps the first one and the last, however often it is set', () => {
    const three = withSetting(two, before, setting('c', '4', 3));
    assert.equal(three.told, first);
    assert.equal(inForce(three).id, 'c');
  });

  it('is read as it was kept, and as nothing where it is not that', () => {
    const kept = { uid: UID, settings: { p: two } };
    assert.deepEqual(readSettings(JSON.parse(JSON.stringify(kept))), JSON.parse(JSON.stringify(kept)));
    const wrong = [
      undefined,
      1,
      {},
      { uid: 1, settings: {} },
      { uid: UID },
      { uid: UID, settings: { p: {} } },
    ];
    for (const value of wrong) assert.equal(readSettings(value), undefined);
    const bad = { ...two, over: { version: 1 } };
    assert.equal(readSettings({ uid: UID, settings: { p: bad } }), undefined);
    assert.equal(readSettings({ uid: UID, settings: { p: { ...two, next: { id: 'x' } } } }), undefined);
  });
});
