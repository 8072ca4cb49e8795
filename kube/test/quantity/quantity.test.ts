import assert from 'node:assert/strict';
import { canonicalQuantity, isQuantity, Quantity } from '../../src/index.ts';
import { recording } from '../recordings.ts';

describe('Quantity: canonical form', () => {
  const table: readonly (readonly [string, string])[] = [
    ['0', '0'],
    ['0m', '0'],
    ['-0', '0'],
    ['100m', '100m'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['5.', '5.'], // taken for canonical as it stands
    ['1.5', '1500m'],
    ['1.5Gi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['1000Ki', '1000Ki'],
    ['1023', '1023'],
    ['512Ki', '512Ki'],
    ['0.5Ki', '512'],
    ['0.5Mi', '512Ki'],
    ['0.0001Ki', '102400u'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['1000000', '1M'],
    ['1e3', '1e3'],
    ['1E3', '1E3'], // likewise
    ['1000e3', '1e6'],
    ['1.234e3', '1.234e3'], // likewise
    ['12e-1', '1200e-3'],
    ['0.9n', '1n'],
    ['-0.9n', '-1n'],
    ['1.00000000001', '1000000001n'],
    ['8Ei', '9223372036854775807'],
    ['9223372036854775808', '9223372036854775808'],
    ['1000E', '1e21'],
    ['+5', '+5'], // likewise
    ['007', '007'], // likewise
    ['-1.5Gi', '-1536Mi'],
    ['1.1Ki', '1126400m'],
    ['5e0', '5e0'],
    ['50e-1', '5'],
  ];
  for (const [text, canonical] of table) {
    it(`${text} → ${canonical}`, () => assert.equal(canonicalQuantity(text), canonical));
  }
});

describe('Quantity: what is none', () => {
  const format =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  const table: readonly (readonly [string, string])[] = [
    ['', format],
    ['abc', format],
    ['1.2.3', format],
    ['1 Gi', format],
    ['1x', format],
    ['0x10', format],
    ['1Kii', "unable to parse quantity's suffix"],
    ['1ki', "unable to parse quantity's suffix"],
    ['1e', "unable to parse quantity's suffix"],
    ['1K', "unable to parse quantity's suffix"],
    ['1e99999999', "unable to parse quantity's suffix"],
    ['.', 'unable to parse numeric part of quantity'],
    ['9'.repeat(257), 'unable to parse numeric part of quantity'],
  ];
  for (const [text, message] of table) {
    it(`${text.slice(0, 20)}: ${message.slice(0, 40)}`, () => {
      assert.throws(() => Quantity.parse(text), { name: 'SyntaxError', message });
      assert.equal(isQuantity(text), false);
    });
  }

  it('is worded as the API server words it', () => {
    const { body } = recording('crud', 'pod-bad-quantity').response;
    assert.ok((body as { message: string }).message.endsWith(format));
  });
});

describe('Quantity: arithmetic', () => {
  it('is exact and keeps the kind of suffix', () => {
    const table: readonly (readonly [string, string, string, string])[] = [
      ['100m', '900m', '1', '-800m'],
      ['1Gi', '1', '1073741825', '1073741823'],
      ['1Gi', '512Mi', '1536Mi', '512Mi'],
      ['0', '1Gi', '1Gi', '-1Gi'],
      ['0.1', '0.2', '300m', '-100m'],
      ['1e3', '1', '1001', '999'],
      ['9223372036854775807', '1', '9223372036854775808', '9223372036854775806'],
    ];
    for (const [left, right, sum, difference] of table) {
      assert.equal(Quantity.parse(left).add(Quantity.parse(right)).toString(), sum);
      assert.equal(Quantity.parse(left).sub(Quantity.parse(right)).toString(), difference);
    }
  });

  it('compares across suffixes', () => {
    const order = ['-1', '0', '1n', '999m', '1', '1000', '1Ki', '1M', '1Mi'];
    for (const [i, left] of order.entries()) {
      for (const [j, right] of order.entries()) {
        assert.equal(
          Quantity.parse(left).compare(Quantity.parse(right)),
          Math.sign(i - j),
          `${left} ${right}`,
        );
      }
    }
  });

  it('scales, rounding away from zero', () => {
    assert.equal(Quantity.parse('1500m').value(), 2n);
    assert.equal(Quantity.parse('-1500m').value(), -2n);
    assert.equal(Quantity.parse('1500m').milliValue(), 1500n);
    assert.equal(Quantity.parse('1u').milliValue(), 1n);
    assert.equal(Quantity.parse('2Ki').scaledValue(3), 3n);
    assert.equal(Quantity.parse('1.5Gi').toNumber(), 1.5 * 2 ** 30);
    assert.equal(Quantity.of(250n, -3).toString(), '250m');
  });
});
