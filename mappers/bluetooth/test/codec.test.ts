import assert from 'node:assert/strict';
import type { PropertyType } from '@hawser/devices';
import { PropertyError, type DriverValue } from '@hawser/mapper-sdk';
import type { BluetoothVisitor, DataConverter } from '../src/index.ts';
import { Codec } from '../src/values/codec.ts';
import { converter, visit } from './site.ts';

function codec(type: PropertyType, visitor: Partial<BluetoothVisitor> = {}): Codec {
  return new Codec(visit(visitor, { type }));
}

function numbers(more: Partial<DataConverter>): Partial<BluetoothVisitor> {
  return { dataConverter: converter(more) };
}

function decoded(type: PropertyType, visitor: Partial<BluetoothVisitor>, bytes: string): DriverValue {
  return codec(type, visitor).decode(Buffer.from(bytes, 'hex'));
}

/** @param held what the device has; undefined: it cannot be read */
async function encoded(
  type: PropertyType,
  visitor: Partial<BluetoothVisitor>,
  value: DriverValue,
  held?: string,
): Promise<string> {
  const readHeld = (): Promise<Buffer | undefined> =>
    Promise.resolve(held === undefined ? undefined : Buffer.from(held, 'hex'));
  return (await codec(type, visitor).encode(value, readHeld)).toString('hex');
}

describe('conversion', () => {
  /** What the device has, how it is read, and the number that it is: read and written back, it is the same. */
  const BOTH_WAYS: readonly (readonly [string, string, Partial<DataConverter>, number | bigint])[] = [
    ['one byte', '57', {}, 87],
    ['high byte first', '1234', { startIndex: 0, endIndex: 1 }, 0x1234],
    ['low byte first', '3412', { startIndex: 1, endIndex: 0 }, 0x1234],
    ['in the middle', 'aa1234bb', { startIndex: 1, endIndex: 2 }, 0x1234],
    ['the last one, backwards', 'aabb3412', { startIndex: 3, endIndex: 2 }, 0x1234],
    ['eight bytes', 'ffffffffffffffff', { endIndex: 7 }, 2n ** 64n - 1n],
    ['signed', 'ff', { signed: true }, -1],
    ['signed, eight bytes', '8000000000000000', { endIndex: 7, signed: true }, -(2n ** 63n)],
    ['shifted right', '57', { shiftRight: 2 }, 0x15],
    ['shifted right, signed', 'f7', { shiftRight: 2, signed: true }, -3],
    ['shifted left', '03', { shiftLeft: 4 }, 0x30],
    ['shifted left, signed', 'ff', { shiftLeft: 4, signed: true }, -16],
    ['added', '05', { orderOfOperations: [{ operationType: 'Add', operationValue: 37 }] }, 42],
    ['subtracted', '05', { orderOfOperations: [{ operationType: 'Subtract', operationValue: 47 }] }, -42],
    [
      'one after the other',
      '0a',
      {
        orderOfOperations: [
          { operationType: 'Multiply', operationValue: 3 },
          { operationType: 'Add', operationValue: -40 },
          { operationType: 'Divide', operationValue: -0.5 },
        ],
      },
      20,
    ],
  ];

  for (const [what, bytes, how, number] of BOTH_WAYS) {
    it(`of a number: ${what}`, async () => {
      assert.equal(decoded('INT', numbers(how), bytes), number);
      assert.equal(await encoded('INT', numbers(how), number, bytes), bytes);
    });
  }

  it('reads the sensor that KubeEdge documents', () => {
    // 0x0c80 low byte first, without its lower two bits, in steps of 0.03125 degrees: CC2650.
    const how = {
      startIndex: 1,
      endIndex: 0,
      shiftRight: 2,
      orderOfOperations: [{ operationType: 'Multiply', operationValue: 0.03125 }] as const,
    };
    assert.equal(decoded('FLOAT', numbers(how), '800c'), 25);
    assert.equal(decoded('FLOAT', numbers(how), '840c'), 25.03125);
  });

  it('works out decimals exactly, and rounds what it writes to what the device can hold', async () => {
    const tenths = numbers({
      endIndex: 1,
      orderOfOperations: [{ operationType: 'Multiply', operationValue: 0.1 }],
    });
    const thirds = numbers({ orderOfOperations: [{ operationType: 'Divide', operationValue: 3 }] });
    assert.equal(decoded('DOUBLE', tenths, '007b'), 12.3);
    assert.equal(await encoded('DOUBLE', tenths, 12.3, '0000'), '007b');
    assert.equal(await encoded('DOUBLE', tenths, 12.34, '0000'), '007b');
    assert.equal(await encoded('DOUBLE', tenths, 12.35, '0000'), '007c');
    assert.equal(decoded('DOUBLE', thirds, '01'), 1 / 3);
    assert.equal(await encoded('DOUBLE', thirds, 1 / 3, '00'), '01');
    assert.equal(decoded('INT', tenths, '007f'), 12, 'an INT loses what is behind the point');
    assert.equal(
      decoded(
        'DOUBLE',
        numbers({ orderOfOperations: [{ operationType: 'Multiply', operationValue: 1e-7 }] }),
        '03',
      ),
      3e-7,
    );
  });

  it('comes back to what it was, for every value of a byte and many operations', async () => {
    const how = numbers({
      startIndex: 2,
      endIndex: 2,
      orderOfOperations: [
        { operationType: 'Multiply', operationValue: 0.7 },
        { operationType: 'Subtract', operationValue: 12.34 },
        { operationType: 'Divide', operationValue: 9 },
      ],
    });
    for (let byte = 0; byte < 256; byte += 1) {
      const bytes = `aabb${byte.toString(16).padStart(2, '0')}cc`;
      const value = decoded('DOUBLE', how, bytes);
      assert.equal(await encoded('DOUBLE', how, value, 'aabb00cc'), bytes);
    }
  });

  it('leaves alone what is around a number', async () => {
    assert.equal(
      await encoded('INT', numbers({ startIndex: 2, endIndex: 1 }), 0x1234, 'aabbccdd'),
      'aa3412dd',
    );
    assert.equal(
      await encoded('INT', numbers({ shiftRight: 3 }), 1, 'ff'),
      '0f',
      'bits that are shifted away',
    );
    assert.equal(await encoded('INT', numbers({ endIndex: 1 }), 1), '0001', 'nothing is around it');
    assert.equal(
      await encoded('INT', numbers({ endIndex: 1 }), 1, ''),
      '0001',
      'a device that has nothing yet',
    );
    await assert.rejects(encoded('INT', numbers({ startIndex: 1, endIndex: 1 }), 1), PropertyError);
    await assert.rejects(encoded('INT', numbers({ shiftRight: 3 }), 1), PropertyError);
    await assert.rejects(encoded('INT', numbers({ startIndex: 3, endIndex: 3 }), 1, 'aa'), /has 1 bytes/);
  });

  it('refuses numbers that do not fit, and says which do', async () => {
    const half = { operationType: 'Divide', operationValue: 2 } as const;
    await assert.rejects(encoded('INT', numbers({}), 256, '00'), /it takes 0 to 255/);
    await assert.rejects(encoded('INT', numbers({}), -1, '00'), PropertyError);
    await assert.rejects(encoded('INT', numbers({ signed: true }), 128, '00'), /it takes -128 to 127/);
    await assert.rejects(
      encoded('DOUBLE', numbers({ orderOfOperations: [half] }), 127.75, '00'),
      /it takes 0 to 127.5/,
    );
    await assert.rejects(encoded('INT', numbers({ shiftLeft: 4 }), 0x31, '00'), /last 4 bits/);
    await assert.rejects(encoded('INT', numbers({ shiftRight: 4 }), 16, '00'), PropertyError);
    assert.throws(() => decoded('INT', numbers({ endIndex: 1 }), '01'), /none at index 1/);
    assert.throws(() => decoded('INT', numbers({}), ''), PropertyError);
  });

  it('has numbers low byte first where nothing is said', () => {
    assert.equal(decoded('INT', {}, '57'), 87);
    assert.equal(decoded('INT', {}, '0102'), 0x0201);
    assert.equal(decoded('INT', {}, 'ffffffffffffffff'), 2n ** 64n - 1n);
    assert.equal(decoded('FLOAT', {}, '10'), 16);
    assert.throws(() => decoded('INT', {}, '000000000000000000'), /dataConverter/);
    assert.throws(() => decoded('INT', {}, ''), PropertyError);
  });

  it('of BOOLEAN', async () => {
    assert.equal(decoded('BOOLEAN', {}, '00'), false);
    assert.equal(decoded('BOOLEAN', {}, '0080'), true);
    assert.equal(decoded('BOOLEAN', numbers({ startIndex: 1, endIndex: 1, shiftRight: 3 }), 'ff07'), false);
    assert.equal(decoded('BOOLEAN', numbers({ startIndex: 1, endIndex: 1, shiftRight: 3 }), '0008'), true);
    assert.equal(await encoded('BOOLEAN', {}, true), '01');
    assert.equal(await encoded('BOOLEAN', {}, false), '00');
    assert.equal(await encoded('BOOLEAN', numbers({ shiftRight: 3 }), true, '07'), '0f');
  });

  it('of text and bytes', async () => {
    assert.equal(decoded('STRING', {}, '4b657373656c00ff'), 'Kessel');
    assert.throws(() => decoded('STRING', {}, 'ff'), /not UTF-8/);
    assert.equal(decoded('STRING', numbers({ startIndex: 1, endIndex: 2 }), '41424344'), 'BC');
    assert.equal(decoded('STRING', numbers({ startIndex: 2, endIndex: 1 }), '41424344'), 'CB');
    assert.deepEqual(decoded('BYTES', {}, '00ff'), Uint8Array.of(0, 255));
    assert.deepEqual(decoded('BYTES', {}, ''), Uint8Array.of());
    assert.equal(await encoded('STRING', {}, 'Ä'), 'c384');
    assert.equal(await encoded('BYTES', {}, Uint8Array.of(0, 255)), '00ff');
  });

  it('by name, both ways', async () => {
    const dataWrite = { Red: 'AQ==', Green: '0x02', Blue: [4], Blink: '01 02 ff' };
    for (const [name, bytes] of [
      ['Red', '01'],
      ['Green', '02'],
      ['Blue', '04'],
      ['Blink', '0102ff'],
    ] as const) {
      assert.equal(await encoded('STRING', { dataWrite }, name), bytes);
      assert.equal(decoded('STRING', { dataWrite }, bytes), name);
    }
    assert.equal(decoded('STRING', { dataWrite }, '4142'), '0x4142', 'none of them');
    await assert.rejects(encoded('STRING', { dataWrite }, 'Pink'), /takes what `dataWrite` has: Red, Green/);
    const levels = { '0': '00', '1.50': '0xaa' };
    assert.equal(await encoded('DOUBLE', { dataWrite: levels }, 1.5), 'aa');
    assert.equal(decoded('DOUBLE', { dataWrite: levels }, 'aa'), 1.5);
    assert.equal(decoded('DOUBLE', { dataWrite: levels }, '05'), 5, 'none of them');
    const power = { ON: '55', off: '0xaa' };
    assert.equal(await encoded('BOOLEAN', { dataWrite: power }, true), '55');
    assert.equal(decoded('BOOLEAN', { dataWrite: power }, 'aa'), false);
    const mixed = { dataWrite: { '-1': '0xff' }, ...numbers({}) };
    assert.equal(await encoded('INT', mixed, -1), 'ff', 'a name goes before the converter');
    assert.equal(await encoded('INT', mixed, 7, '00'), '07');
    assert.equal(decoded('INT', mixed, 'ff'), 255, 'the converter is what is read by');
  });

  it('refuses what it has no bytes for', async () => {
    await assert.rejects(encoded('INT', {}, 5), /dataConverter/);
    assert.throws(() => codec('STRING', { dataWrite: { A: '0102' } }), /hexadecimal or base64/);
    assert.throws(() => codec('STRING', { dataWrite: { A: 'xyz' } }), PropertyError);
  });
});
