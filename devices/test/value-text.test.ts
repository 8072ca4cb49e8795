import assert from 'node:assert/strict';
import { canonicalValue, formatValue, parseValue, type PropertyType, type TypedValue } from '../src/index.ts';

const LONG = 'x'.repeat(16 * 1024);

/** Type, text, value, canonical text (default: the text itself). */
const GOOD: readonly [PropertyType, string, TypedValue, string?][] = [
  ['INT', '0', 0],
  ['INT', '-0', 0, '0'],
  ['INT', '+7', 7, '7'],
  ['INT', '-12', -12],
  ['INT', '007', 7, '7'],
  ['INT', '9007199254740991', 9007199254740991],
  ['INT', '9007199254740992', 9007199254740992n],
  ['INT', '9007199254740993', 9007199254740993n],
  ['INT', '18446744073709551615', 18446744073709551615n],
  ['INT', '-9223372036854775808', -9223372036854775808n],
  ['FLOAT', '21.5', 21.5],
  ['FLOAT', '0.1', 0.1],
  ['FLOAT', '0.10000000149011612', 0.10000000149011612, '0.1'],
  ['FLOAT', '3.4028234663852886e+38', 3.4028234663852886e38, '3.4028235e+38'],
  ['FLOAT', '123456.789', 123456.789],
  ['FLOAT', '-0.0', 0, '0'],
  ['FLOAT', '1E3', 1000, '1000'],
  ['DOUBLE', '0.1', 0.1],
  ['DOUBLE', '1e21', 1e21, '1e+21'],
  ['DOUBLE', '0.10000000149011612', 0.10000000149011612],
  ['DOUBLE', '9007199254740992', 9007199254740992],
  ['DOUBLE', '5e-324', 5e-324],
  ['DOUBLE', '0e5', 0, '0'],
  ['BOOLEAN', 'true', true],
  ['BOOLEAN', 'False', false, 'false'],
  ['BOOLEAN', '1', true, 'true'],
  ['BOOLEAN', '0', false, 'false'],
  ['BOOLEAN', 'ON', true, 'true'],
  ['BOOLEAN', 'off', false, 'false'],
  ['BYTES', '', new Uint8Array()],
  ['BYTES', 'aGk=', new Uint8Array([104, 105])],
  ['BYTES', '+/8A', new Uint8Array([251, 255, 0])],
  ['STRING', '', ''],
  ['STRING', ' two  words ', ' two  words '],
  ['STRING', '{"a": [1, "}"]}', '{"a": [1, "}"]}'],
  ['STRING', 'äöü 漢字 🚢\n\u0000', 'äöü 漢字 🚢\n\u0000'],
  ['STRING', '\ud800', '\ud800'],
  ['STRING', 'NaN', 'NaN'],
  ['STRING', LONG, LONG],
  ['STREAM', 'rtsp://camera/1', 'rtsp://camera/1'],
];

/** Type, text, what the message says. */
const BAD: readonly [PropertyType, string, RegExp][] = [
  ['INT', '', /must be a whole number, as 42, is ""/],
  ['INT', ' 1', /whole number/],
  ['INT', '1.0', /whole number, as 42, is "1.0"/],
  ['INT', '1e3', /whole number/],
  ['INT', '0x10', /whole number/],
  ['INT', '--1', /whole number/],
  ['INT', '١', /whole number/],
  ['INT', 'NaN', /whole number/],
  ['INT', '18446744073709551616', /must be from -9223372036854775808 to 18446744073709551615/],
  ['INT', '-9223372036854775809', /must be from/],
  ['INT', '9'.repeat(5000), /whole number, as 42, is "9{59}…/],
  ['FLOAT', '', /must be a number/],
  ['FLOAT', 'NaN', /must be a number, as 21.5 or 1e-3, is "NaN"/],
  ['FLOAT', 'Infinity', /must be a number/],
  ['FLOAT', '-inf', /must be a number/],
  ['FLOAT', '1,5', /must be a number/],
  ['FLOAT', '.5', /must be a number/],
  ['FLOAT', '5.', /must be a number/],
  ['FLOAT', '1_000', /must be a number/],
  ['DOUBLE', '1e309', /too large for DOUBLE: "1e309"/],
  ['DOUBLE', '-1e309', /too large/],
  ['DOUBLE', '1e-400', /too small for DOUBLE/],
  ['DOUBLE', '9007199254740993', /more digits than DOUBLE can hold: .* would become 9007199254740992/],
  ['BOOLEAN', '', /must be true or false, is ""/],
  ['BOOLEAN', 'yes', /must be true or false, is "yes"/],
  ['BOOLEAN', 'constructor', /must be true or false/],
  ['BYTES', 'aGk', /base64 with padding/],
  ['BYTES', 'aG k=', /base64/],
  ['BYTES', 'aGl=', /base64/],
  ['BYTES', '-_8A', /base64/],
  ['STRING', `${LONG}x`, /at most 16384 bytes, is 16385/],
  ['STRING', 'ä'.repeat(8193), /at most 16384 bytes, is 16386/],
  ['BYTES', 'aaaa'.repeat(4097), /at most 16384 bytes/],
];

describe('values', () => {
  for (const [type, text, value, canonical = text] of GOOD) {
    it(`reads ${type} ${JSON.stringify(text.slice(0, 40))} and writes it back`, () => {
      assert.deepEqual(parseValue(type, text), value);
      assert.equal(formatValue(type, value), canonical);
      assert.equal(canonicalValue(type, canonical), canonical, 'the canonical text is canonical');
    });
  }

  for (const [type, text, message] of BAD) {
    it(`refuses ${type} ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.throws(() => parseValue(type, text), { code: 'ERR_DEVICES_VALUE', message });
    });
  }

  it('writes only what is of the type', () => {
    const cases: readonly [PropertyType, TypedValue, RegExp][] = [
      ['INT', 1.5, /whole number, is 1.5/],
      ['INT', 2 ** 53, /bigint beyond 2\^53/],
      ['INT', 2n ** 64n, /must be from/],
      ['INT', '5', /whole number/],
      ['INT', NaN, /whole number, is NaN/],
      ['DOUBLE', NaN, /a number, is NaN/],
      ['FLOAT', -Infinity, /a number, is -Infinity/],
      ['DOUBLE', 2n ** 53n + 1n, /more digits/],
      ['DOUBLE', true, /a number, is true/],
      ['BOOLEAN', 2, /true or false, is 2/],
      ['BOOLEAN', 'true', /true or false/],
      ['BYTES', 'aGk=', /must be bytes/],
      ['STRING', new Uint8Array(1), /must be text/],
      ['STRING', `${LONG}x`, /at most/],
      ['BYTES', new Uint8Array(16 * 1024), /at most 16384 bytes/],
    ];
    for (const [type, value, message] of cases) {
      assert.throws(() => formatValue(type, value), { code: 'ERR_DEVICES_VALUE', message });
    }
  });

  it('writes what drivers have', () => {
    assert.equal(formatValue('INT', 5n), '5');
    assert.equal(formatValue('INT', -0), '0');
    assert.equal(formatValue('DOUBLE', 2n ** 60n), '1152921504606846976'.replace(/\d+/, String(2 ** 60)));
    assert.equal(formatValue('BOOLEAN', 1), 'true');
    assert.equal(formatValue('BOOLEAN', 0n), 'false');
    assert.equal(formatValue('STRING', 5), '5');
    assert.equal(formatValue('BYTES', Buffer.from('xhix').subarray(1, 3)), 'aGk=');
  });

  it('writes each number of 32 bits as one that reads as the same 32 bits', () => {
    const view = new DataView(new ArrayBuffer(4));
    let bits = 1;
    for (let i = 0; i < 20_000; i++) {
      bits = (Math.imul(bits, 1664525) + 1013904223) >>> 0;
      view.setUint32(0, bits);
      const value = view.getFloat32(0);
      if (!Number.isFinite(value)) continue;
      const text = formatValue('FLOAT', value);
      assert.equal(Math.fround(Number(text)), value === 0 ? 0 : value);
      assert.ok(text.replace(/[-.]|e.*$/g, '').replace(/^0+|0+$/g, '').length <= 9, text);
    }
  });
});
