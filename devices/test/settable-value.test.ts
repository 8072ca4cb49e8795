import assert from 'node:assert/strict';
import {
  checkReading,
  checkValue,
  isWithinDeadBand,
  type PropertyType,
  type SettableProperty,
} from '../src/index.ts';

function property(type: PropertyType, rest: Partial<SettableProperty> = {}): SettableProperty {
  return { name: 'speed', type, accessMode: 'ReadWrite', ...rest };
}

describe('values to set', () => {
  it('are within the range, bounds included', () => {
    const int = property('INT', { minimum: -5, maximum: 10 });
    assert.deepEqual(
      ['-5', '10', '+3'].map((text) => checkValue(int, text)),
      ['-5', '10', '3'],
    );
    const message = /^speed must be >= -5, is -6$/;
    assert.throws(() => checkValue(int, '-6'), { code: 'ERR_DEVICES_VALUE', message });
    assert.throws(() => checkValue(int, '18446744073709551615'), {
      message: 'speed must be <= 10, is 18446744073709551615',
    });
    assert.throws(() => checkValue(property('DOUBLE', { maximum: 0.3 }), '0.30000000000000004'), {
      message: 'speed must be <= 0.3, is 0.30000000000000004',
    });
  });

  it('compares whole numbers beyond 2^53 exactly', () => {
    const int = property('INT', { maximum: 2 ** 53 });
    assert.equal(checkValue(int, '9007199254740992'), '9007199254740992');
    assert.throws(() => checkValue(int, '9007199254740993'), { code: 'ERR_DEVICES_VALUE' });
  });

  it('are refused for what is only read, and where the type is another', () => {
    assert.throws(() => checkValue(property('INT', { accessMode: 'ReadOnly' }), '1'), {
      code: 'ERR_DEVICES_READ_ONLY',
      message: 'speed is ReadOnly',
    });
    assert.throws(() => checkValue(property('BOOLEAN'), 'x'), {
      message: 'speed must be true or false, is "x"',
    });
  });

  it('are any text where the type is STRING', () => {
    for (const text of ['', ' ', '{}', '"', '\n', 'a'.repeat(600)])
      assert.equal(checkValue(property('STRING'), text), text);
  });
});

describe('readings', () => {
  it('may be out of the range', () => {
    assert.equal(checkReading(property('INT', { accessMode: 'ReadOnly', maximum: 3 }), '007'), '7');
    assert.throws(() => checkReading(property('INT'), 'hot'), { message: /^speed must be a whole number/ });
  });

  it('are within a dead band, or not', () => {
    const absolute = { kind: 'absolute', by: 0.5 } as const;
    const percent = { kind: 'percent', by: 2 } as const;
    const cases: readonly [
      PropertyType,
      typeof absolute | typeof percent | undefined,
      string | undefined,
      string,
      boolean,
    ][] = [
      ['DOUBLE', absolute, undefined, '1', false],
      ['DOUBLE', absolute, '1', '1.25', true],
      ['DOUBLE', absolute, '1', '1.5', false],
      ['DOUBLE', absolute, '1', '0.75', true],
      ['DOUBLE', undefined, '1', '1', true],
      ['DOUBLE', undefined, '1', '1.0001', false],
      ['DOUBLE', percent, '100', '101.9', true],
      ['DOUBLE', percent, '-100', '-102', false],
      ['DOUBLE', percent, '0', '0.0001', false],
      [
        'INT',
        { kind: 'absolute', by: 2 } as unknown as typeof absolute,
        '9223372036854775807',
        '9223372036854775806',
        true,
      ],
      ['INT', absolute, '9223372036854775807', '9223372036854775806', false],
      ['INT', percent, '18446744073709551615', '18446744073709551000', true],
      ['STRING', absolute, 'a', 'b', false],
      ['STRING', absolute, 'a', 'a', true],
      ['BOOLEAN', percent, 'true', 'false', false],
    ];
    for (const [type, deadBand, last, now, within] of cases) {
      assert.equal(
        isWithinDeadBand({ type, ...(deadBand && { deadBand }) }, last, now),
        within,
        `${type} ${last ?? '-'} ${now}`,
      );
    }
  });
});
