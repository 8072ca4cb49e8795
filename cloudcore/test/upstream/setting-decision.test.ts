import assert from 'node:assert/strict';
import type { JsonObject } from '@hawser/kube';
import type { UpstreamSetting } from '@hawser/sync';
import { decideSettings, type SettingDecision } from '../../src/upstream/setting-decision.ts';

const FIRST = 'setting-1';
const SECOND = 'setting-2';
const never = (): boolean => false;

/** A Device that takes what is decided, as the hub writes it. */
class Device {
  properties: readonly JsonObject[];
  decided: string | undefined = undefined;
  writes = 0;

  constructor(...properties: JsonObject[]) {
    this.properties = properties;
  }

  /** `lost`: the decision is made, and the write never comes. */
  take(...settings: UpstreamSetting[]): SettingDecision {
    const decision = decideSettings(this, settings, never);
    if (decision.properties !== undefined || decision.decided !== undefined) this.writes += 1;
    this.properties = decision.properties ?? this.properties;
    this.decided = decision.decided ?? this.decided;
    return decision;
  }

  /** Somebody sets it in the cloud. */
  cloud(value: string | undefined): void {
    this.properties = [{ name: 'speed', ...(value !== undefined && { desired: { value } }) }];
  }

  get value(): unknown {
    return (this.properties[0]?.['desired'] as { value?: string } | undefined)?.value;
  }
}

function setting(value: string, over?: string, id?: string): UpstreamSetting {
  return {
    property: 'speed',
    value,
    ...(id !== undefined && { id }),
    ...(over !== undefined && { over: { value: over } }),
  };
}

describe('what becomes of a value that was set at the edge', () => {
  it('is written over the value that it was set over, or over none', () => {
    const device = new Device({ name: 'speed', collectCycle: 100 });
    assert.equal(device.take(setting('1', undefined, FIRST)).written.length, 1);
    assert.equal(device.value, '1');
    assert.equal(device.properties[0]?.['collectCycle'], 100, 'other fields stay');
    device.take(setting('2', '1', SECOND));
    assert.equal(device.value, '2');
  });

  it('gives way to a value that the cloud has set without knowing of it', () => {
    const device = new Device({ name: 'speed', desired: { value: '7' } });
    const { superseded, properties } = device.take(setting('1', '3', FIRST));
    assert.equal(properties, undefined);
    assert.equal(superseded[0]?.present?.value, '7');
    assert.equal(device.value, '7');
  });

  it('gives way where the cloud has taken the value away, and where there was none', () => {
    const device = new Device({ name: 'speed' });
    assert.equal(device.take(setting('1', '3', FIRST)).superseded.length, 1);
    device.cloud('3');
    assert.equal(device.take(setting('1', undefined, SECOND)).superseded.length, 1);
    assert.equal(device.value, '3');
  });

  it('that was set over none is written over an empty one, with which manifests of KubeEdge mean none', () => {
    const metadata = { type: 'int', timestamp: '1' };
    for (const desired of [{ value: '' }, { value: '', metadata }]) {
      for (const id of [FIRST, undefined]) {
        const device = new Device({ name: 'speed', desired });
        assert.equal(device.take(setting('1', undefined, id)).written.length, 1);
        assert.equal(device.value, '1');
      }
    }
    const device = new Device({ name: 'speed', desired: { value: '' } });
    assert.equal(device.take(setting('1', '3', FIRST)).superseded.length, 1, 'the cloud has emptied it');
    device.cloud('');
    assert.equal(device.take(setting('2', undefined, SECOND)).written.length, 1);
    device.cloud('');
    assert.equal(device.take(setting('2', undefined, SECOND)).superseded.length, 1, 'it was decided before');
    assert.equal(device.value, '');
  });

  it('looks at metadata as well', () => {
    const desired = { value: '3', metadata: { unit: 'rpm' } };
    const device = new Device({ name: 'speed', desired });
    assert.equal(device.take(setting('1', '3', FIRST)).superseded.length, 1);
    assert.equal(device.take({ ...setting('1', undefined, SECOND), over: desired }).written.length, 1);
  });

  for (const id of [FIRST, undefined]) {
    describe(id === undefined ? 'without an id' : 'with an id', () => {
      it('is not written twice when its answer was lost', () => {
        const device = new Device({ name: 'speed', desired: { value: '3' } });
        device.take(setting('1', '3', id));
        const again = device.take(setting('1', '3', id));
        assert.equal(again.same.length, 1);
        assert.equal(device.writes, 1);
      });

      it('does not take back what the cloud has set since, when it comes again', () => {
        const device = new Device({ name: 'speed', desired: { value: '3' } });
        device.take(setting('1', '3', id));
        device.cloud('9');
        assert.equal(device.take(setting('1', '3', id)).superseded.length, 1);
        assert.equal(device.value, '9');
      });

      it('follows a former setting of the edge, whose answer it does not know', () => {
        const device = new Device({ name: 'speed', desired: { value: '3' } });
        device.take(setting('1', '3', id));
        const next = id === undefined ? undefined : SECOND;
        assert.equal(device.take(setting('2', '3', next)).written.length, 1);
        assert.equal(device.value, '2');
      });
    });
  }

  it('is known by its id when the cloud has set back what it was made over', () => {
    const device = new Device({ name: 'speed', desired: { value: '3' } });
    device.take(setting('1', '3', FIRST));
    device.cloud('3');
    assert.equal(device.take(setting('1', '3', FIRST)).superseded.length, 1);
    assert.equal(device.value, '3');
    assert.equal(device.take(setting('1', '3', SECOND)).written.length, 1, 'a new setting is one');
  });

  it('is decided once also where it was superseded, or was there already', () => {
    const device = new Device({ name: 'speed', desired: { value: '9' } });
    device.take(setting('1', '3', FIRST));
    device.cloud('3');
    assert.equal(device.take(setting('1', '3', FIRST)).superseded.length, 1);
    device.cloud('5');
    assert.equal(device.take(setting('5', '3', SECOND)).same.length, 1);
    device.cloud('3');
    assert.equal(device.take(setting('5', '3', SECOND)).superseded.length, 1);
    assert.equal(device.value, '3');
  });

  it('is added where only the model has the property, and refused where neither has it', () => {
    const device = { properties: [{ name: 'other' }], decided: undefined };
    const inModel = decideSettings(device, [setting('1')], (name) => name === 'speed');
    assert.deepEqual(inModel.properties, [{ name: 'other' }, { name: 'speed', desired: { value: '1' } }]);
    const nowhere = decideSettings(device, [setting('1')], never);
    assert.equal(nowhere.unknown.length, 1);
    assert.equal(nowhere.properties, undefined);
  });

  it('bears an annotation that somebody has spoilt', () => {
    for (const decided of ['', 'nonsense', '[]', '{"speed":7}', '{"speed":[1,2]}', 'null']) {
      const device = { properties: [{ name: 'speed' }], decided };
      assert.equal(decideSettings(device, [setting('1', undefined, FIRST)], never).written.length, 1);
    }
  });

  it('forgets what was decided of properties that are gone', () => {
    const device = new Device({ name: 'speed' });
    device.take(setting('1', undefined, FIRST));
    device.properties = [{ name: 'other' }];
    const { decided } = decideSettings(device, [{ property: 'other', value: '1', id: SECOND }], never);
    assert.deepEqual(Object.keys(JSON.parse(decided ?? '') as object), ['other']);
  });
});
