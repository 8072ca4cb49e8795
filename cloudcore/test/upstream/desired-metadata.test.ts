import assert from 'node:assert/strict';
import { checkDevice, METADATA_ENTRIES_MAX, METADATA_KEY_MAX, METADATA_VALUE_MAX } from '@hawser/devices';
import { packJson } from '@hawser/sync';
import { decodeBody } from '../../src/upstream/bodies.ts';

type Metadata = Readonly<Record<string, string>>;

const ABOUT = { namespace: 'default', name: 'd', uid: 'u' };

function entries(count: number, keyChars: number, valueChars: number): Metadata {
  const keyOf = (index: number): string => String.fromCharCode(97 + index).repeat(keyChars);
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [keyOf(index), 'ä'.repeat(valueChars)]),
  );
}

function isValid(metadata: Metadata): boolean {
  const device = {
    metadata: { namespace: 'default', name: 'd' },
    spec: {
      deviceModelRef: { name: 'model' },
      protocol: { protocolName: 'virtual' },
      properties: [{ name: 'a', desired: { value: '1', metadata } }],
    },
  };
  return checkDevice(device).length === 0;
}

/** What an edge says of such a device: what it is to be, and what was set over that. */
function isTaken(metadata: Metadata): boolean {
  const observedDesired = { value: '1', metadata };
  const report = { ...ABOUT, twins: [{ propertyName: 'a', observedDesired }] };
  const settings = [{ property: 'a', value: '2', id: 'setting-1', over: observedDesired }];
  try {
    decodeBody('device', packJson(report));
    decodeBody('device-setting', packJson({ ...ABOUT, settings }));
    return true;
  } catch (error) {
    assert.match(String(error), /metadata/);
    return false;
  }
}

describe('metadata of a desired value', () => {
  const most = [METADATA_ENTRIES_MAX, METADATA_KEY_MAX, METADATA_VALUE_MAX] as const;
  const [entriesMax, keyMax, valueMax] = most;
  const cases: readonly (readonly [string, Metadata, boolean])[] = [
    ['none', {}, true],
    ['as much as may be', entries(...most), true],
    ['an entry too many', entries(entriesMax + 1, 1, 1), false],
    ['too long a key', entries(1, keyMax + 1, 1), false],
    ['no key', { '': 'x' }, false],
    ['too long a value', entries(1, 1, valueMax + 1), false],
    ['an empty value', { a: '' }, true],
  ];
  for (const [what, metadata, fits] of cases) {
    it(`${what}: the hub takes from edges what a valid Device has, and no more`, () => {
      assert.deepEqual([isValid(metadata), isTaken(metadata)], [fits, fits]);
    });
  }
});
